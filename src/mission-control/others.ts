import type { OtherRuntimeSign } from '../../machines/other-runtime/machine.ts';
import type { DeliveryContext, NotificationRow } from '../../machines/shared/mission-control.ts';
import type { MissionControl } from '../ports.ts';

/** What this process did with a row, and what it saw of it. */
interface Known {
  /** It has taken the row, so the typing indicator may be its own. */
  begun: boolean;
  /** Since when its typing indicator is on, by performance.now(); null when it is off. */
  typingSince: number | null;
  marked: boolean;
  /** Somebody else was typing there before this process took it. */
  typedElsewhere: boolean;
}

/** So many rows are remembered, the latest ones. */
const MOST_ROWS = 5_000;

const isTyped = ({ readAt, deliveryEndedAt }: NotificationRow): boolean =>
  readAt !== undefined && deliveryEndedAt === undefined;

/**
 * Sees whether another runtime works on the account. A backend that lends rows says so itself. With any other the rows
 * show it: one that this process has not taken is typed in, one that it has not marked is delivered, or one that it types
 * in is not typed in any more. The quicker one of two runtimes would see nothing of the other. So the slower one
 * switches the typing indicator off where it begins a row that is typed in already, and the quicker one sees that.
 *
 * @param tell called for every row that shows a sign
 */
export function watchForOthers<T extends MissionControl>(
  missionControl: T,
  tell: (sign: OtherRuntimeSign) => void,
): T {
  const rows = new Map<string, Known>();
  /** By Convex's clock. What was read up to here may be of an earlier process. */
  let baseline: number | null = null;

  function change(id: string, part: Partial<Known>): void {
    const before = rows.get(id) ?? { begun: false, typingSince: null, marked: false, typedElsewhere: false };
    rows.delete(id);
    rows.set(id, { ...before, ...part });
    const [oldest] = rows.size > MOST_ROWS ? rows.keys() : [];
    if (oldest !== undefined) rows.delete(oldest);
  }
  const sighted = (row: string, sign: string): void => tell({ type: 'otherRuntime.sighted', row, sign });

  /** Of a row that was not taken here. */
  function lookAtReading(row: NotificationRow): void {
    if (!isTyped(row) || (row.readAt ?? 0) <= (baseline ?? 0)) return;
    change(row._id, { typedElsewhere: true });
    sighted(row._id, 'a notification was read that this one had not taken');
  }
  /** @param askedAt when the list was asked for: it may be older than what this process did since */
  function lookAt(row: NotificationRow, askedAt: number): void {
    const { begun, typingSince } = rows.get(row._id) ?? { begun: false, typingSince: null };
    change(row._id, {});
    if (!begun) lookAtReading(row);
    else if (typingSince !== null && typingSince < askedAt && row.deliveryEndedAt !== undefined) {
      sighted(row._id, 'the typing indicator of a run under way was switched off');
    }
  }
  /** Looks only at rows that were listed here, because the journal also knows rows that an earlier process has marked. */
  function lookAtContext(id: string, context: DeliveryContext | null): void {
    const before = rows.get(id);
    if (before === undefined || before.marked || context?.notification.deliveredAt === undefined) return;
    sighted(id, 'a notification was delivered that this one had not marked');
  }

  return {
    ...missionControl,
    async listWithContexts(page, signal) {
      const askedAt = performance.now();
      const answer = await missionControl.listWithContexts(page, signal);
      if (answer.others !== null) return answer;
      const given = new Set(answer.contexts.map(({ notification }) => notification._id));
      const seen = answer.rows.filter(({ _id }) => !given.has(_id));
      baseline ??= Math.max(0, ...seen.map(({ readAt }) => readAt ?? 0));
      for (const row of seen) lookAt(row, askedAt);
      for (const id of given) change(id, { begun: true, typingSince: performance.now() });
      return answer;
    },
    async beginDelivery(id, signal) {
      const before = rows.get(id);
      change(id, { begun: true });
      const answer = await missionControl.beginDelivery(id, signal);
      if (answer.typing) change(id, { typingSince: performance.now() });
      // Without an extension the typing indicator is not ours yet.
      else if (before?.begun === false && answer.delivery !== null)
        lookAtReading(answer.delivery.notification);
      lookAtContext(id, answer.delivery);
      return answer;
    },
    async loadContext(id, signal) {
      const context = await missionControl.loadContext(id, signal);
      lookAtContext(id, context);
      return context;
    },
    async markRead(id, signal) {
      const isAnswer = rows.get(id)?.typedElsewhere === true;
      change(id, { begun: true, typedElsewhere: false });
      await missionControl.markRead(id, signal);
      change(id, { typingSince: performance.now() });
      if (!isAnswer) return;
      change(id, { typingSince: null });
      await missionControl.markDeliveryEnded(id, signal);
    },
    async markDeliveryEnded(id, signal) {
      change(id, { typingSince: null });
      await missionControl.markDeliveryEnded(id, signal);
    },
    async markDelivered(id, signal) {
      change(id, { marked: true, typingSince: null });
      await missionControl.markDelivered(id, signal);
    },
    async completeDelivery(completion, signal) {
      change(completion.notificationId, { marked: true, typingSince: null });
      return missionControl.completeDelivery(completion, signal);
    },
  };
}

import type { OtherRuntimeSign } from '../../machines/other-runtime/machine.ts';
import {
  lookAtDelivered,
  lookAtListed,
  lookAtReading,
  marked,
  switchedOff,
  taken,
  typingBegan,
  typingEnded,
  UNKNOWN_ROW,
  type KnownRow,
  type Look,
} from '../../machines/other-runtime/rows.ts';
import type { MissionControl } from '../ports.ts';

/** So many rows are remembered, the latest ones. */
const MOST_ROWS = 5_000;

/**
 * Has the calls tell what they show of another runtime on the account (machines/other-runtime/rows.ts). A backend that
 * lends rows says so itself.
 *
 * @param tell called for every row that shows a sign
 */
export function watchForOthers<T extends MissionControl>(
  missionControl: T,
  tell: (sign: OtherRuntimeSign) => void,
): T {
  const rows = new Map<string, KnownRow>();
  let baseline: number | null = null;

  const knownOf = (id: string): KnownRow => rows.get(id) ?? UNKNOWN_ROW;
  function keep(id: string, known: KnownRow): void {
    rows.delete(id);
    rows.set(id, known);
    const [oldest] = rows.size > MOST_ROWS ? rows.keys() : [];
    if (oldest !== undefined) rows.delete(oldest);
  }
  function note(id: string, { known, sign }: Look): void {
    keep(id, known);
    if (sign !== null) tell({ type: 'otherRuntime.sighted', row: id, sign });
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
      for (const row of seen) note(row._id, lookAtListed(knownOf(row._id), row, { baseline, askedAt }));
      for (const id of given) keep(id, typingBegan(taken(knownOf(id)), performance.now()));
      return answer;
    },
    async beginDelivery(id, signal) {
      const before = rows.get(id);
      keep(id, taken(knownOf(id)));
      const answer = await missionControl.beginDelivery(id, signal);
      const row = answer.delivery?.notification;
      if (answer.typing) keep(id, typingBegan(knownOf(id), performance.now()));
      // Without an extension the typing indicator is not ours yet.
      else if (before?.begun === false && row) note(id, lookAtReading(knownOf(id), row, baseline ?? 0));
      if (before !== undefined && row) note(id, lookAtDelivered(knownOf(id), row));
      return answer;
    },
    async loadContext(id, signal) {
      const context = await missionControl.loadContext(id, signal);
      // The journal also knows rows that an earlier process has marked, and no list here has shown.
      if (context !== null && rows.has(id)) note(id, lookAtDelivered(knownOf(id), context.notification));
      return context;
    },
    async markRead(id, signal) {
      const { typedElsewhere } = knownOf(id);
      keep(id, switchedOff(taken(knownOf(id))));
      await missionControl.markRead(id, signal);
      if (typedElsewhere) await missionControl.markDeliveryEnded(id, signal);
      else keep(id, typingBegan(knownOf(id), performance.now()));
    },
    async markDeliveryEnded(id, signal) {
      keep(id, typingEnded(knownOf(id)));
      await missionControl.markDeliveryEnded(id, signal).finally(() => {
        // The next run may have begun meanwhile, and this may have switched off its indicator.
        keep(id, typingEnded(knownOf(id)));
      });
    },
    async markDelivered(id, signal) {
      keep(id, marked(knownOf(id)));
      await missionControl.markDelivered(id, signal);
    },
    async completeDelivery(completion, signal) {
      keep(completion.notificationId, marked(knownOf(completion.notificationId)));
      return missionControl.completeDelivery(completion, signal);
    },
  };
}

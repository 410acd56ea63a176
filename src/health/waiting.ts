import type { MissionControl } from '../ports.ts';

export interface Waiting {
  /** The same Mission Control. It remembers what its calls say about waiting notifications. */
  watch<T extends MissionControl>(missionControl: T): T;
  /** Notifications that Mission Control has and nobody has answered: at the last list, without those answered since. */
  count(): number;
  /** Age of the oldest of them, in seconds; 0 when none waits. */
  oldestSeconds(): number;
}

/** More rows than the largest page are not remembered: the oldest come first, and they are what matters. */
const MOST_ROWS = 1_000;

/**
 * Learns from the calls to Mission Control how old the notifications are that wait, and how long replies took.
 *
 * @param onReply given the seconds from the creation of a notification to its reply in the thread
 * @param now Convex's clock and ours may differ a little; an age is never below 0
 */
export function createWaiting(onReply: (seconds: number) => void, now: () => number = Date.now): Waiting {
  let createdAt = new Map<string, number>();
  const secondsSince = (moment: number): number => Math.max(0, now() - moment) / 1_000;

  /** A page that is not full has all rows that wait. */
  function keep(rows: readonly { _id: string; createdAt: number }[], limit: number): void {
    const listed = new Map(rows.map((row) => [row._id, row.createdAt]));
    createdAt = rows.length < limit ? listed : new Map([...createdAt, ...listed].slice(0, MOST_ROWS));
  }
  function reply(moment: number | undefined): void {
    if (moment !== undefined) onReply(secondsSince(moment));
  }

  return {
    watch: (missionControl) => ({
      ...missionControl,
      async listUndelivered(limit, signal) {
        const rows = await missionControl.listUndelivered(limit, signal);
        keep(rows, limit);
        return rows;
      },
      async listWithContexts(page, signal) {
        const answer = await missionControl.listWithContexts(page, signal);
        keep(answer.rows, page.limit);
        return answer;
      },
      async postMessage(message, signal) {
        const id = await missionControl.postMessage(message, signal);
        if (message.sourceNotificationId !== undefined) reply(createdAt.get(message.sourceNotificationId));
        return id;
      },
      async completeDelivery(completion, signal) {
        const moved = await missionControl.completeDelivery(completion, signal);
        if (completion.reply !== null) reply(completion.version.createdAt);
        if (moved === null) createdAt.delete(completion.notificationId);
        return moved;
      },
      async markDelivered(notificationId, signal) {
        await missionControl.markDelivered(notificationId, signal);
        createdAt.delete(notificationId);
      },
    }),
    count: () => createdAt.size,
    oldestSeconds: () => (createdAt.size === 0 ? 0 : secondsSince(Math.min(...createdAt.values()))),
  };
}

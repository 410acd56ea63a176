import type { Index } from '../index.ts';

/** Replies that a dead process left in its journal and that were never posted, or posted only after another run. */
export function findLostReplies(index: Index): string[] {
  const kept = new Map<number, { notificationId: string; since: number; life: number }>();
  for (const life of index.lives) {
    for (const { id: notificationId, reply } of life.journal) {
      const run = Number(/^reply (\d+) to /.exec(reply ?? '')?.[1]);
      if (!Number.isNaN(run) && !kept.has(run)) {
        kept.set(run, { notificationId, since: life.exitedAt, life: life.number });
      }
    }
  }
  return [...kept].flatMap(([run, { notificationId, since, life }]) => {
    const message = index.replies.get(run)?.[0];
    const name = `the reply of run ${run}, which process ${life} left in the journal,`;
    if (message === undefined) return [`${name} was never posted`];
    const postedAt = index.postedAt(message);
    const again = index
      .runsOf(notificationId)
      .find(({ startedAt }) => startedAt > since && startedAt < postedAt);
    return again === undefined ? [] : [`${name} was not posted before run ${again.id} asked again`];
  });
}

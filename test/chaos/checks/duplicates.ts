import type { Run } from '../evidence.ts';
import type { Index } from '../index.ts';

/**
 * More than one reply to the same message of the same notification. Two replies of one notification are right when a
 * newer message was coalesced into it: they answer two messages.
 */
export function findDuplicates(index: Index): string[] {
  const runs = new Map(index.runs.map((run) => [run.id, run]));
  const answers = new Map<string, number[]>();
  for (const [id, messages] of index.replies) {
    const run = runs.get(id);
    const key = run === undefined ? `run ${id}` : answerKey(run);
    answers.set(key, [...(answers.get(key) ?? []), ...messages.map(() => id)]);
  }
  return [...answers]
    .filter(([, ids]) => ids.length > 1)
    .map(([key, ids]) => `${key} was answered ${ids.length} times, by the runs ${ids.join(', ')}`);
}

const answerKey = ({ notificationId, about }: Run): string => `${about} in ${notificationId}`;

/** Replies of a notification beyond its first. */
export function countSecondReplies(index: Index): number {
  const answered = index.rows.map(({ _id }) => index.runsOf(_id).filter((run) => index.replyOf(run)).length);
  return answered.reduce((sum, replies) => sum + Math.max(0, replies - 1), 0);
}

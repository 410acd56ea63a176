import type { JournalRow } from '../evidence.ts';
import type { Index } from '../index.ts';

/** After this many runs without a reply a notification is given up. */
const ATTEMPTS = 5;

export const countNotes = ({ notes }: Index): number => notes.length;

/** The notifications that a note stands for. (A note for a row that had a reply before does not name its row.) */
export const givenUp = ({ notes }: Index): Set<string> =>
  new Set(notes.flatMap(({ sourceNotificationId: id }) => (id === undefined ? [] : [id])));

/** When the last note for this notification came into its thread, up to a moment; -Infinity when none did. */
export const lastNoteAt = (index: Index, notificationId: string, until: number): number =>
  Math.max(
    ...index.notes
      .filter(({ sourceNotificationId }) => sourceNotificationId === notificationId)
      .map((note) => index.postedAt(note))
      .filter((at) => at <= until),
    -Infinity,
  );

/** Notes for notifications that had fewer than five attempts without a reply before. */
export function findRashNotes(index: Index): string[] {
  return index.notes.flatMap((note) => {
    const at = index.postedAt(note);
    const tried = index.rows
      .filter(({ taskId, recipientId }) => taskId === note.taskId && recipientId === note.authorId)
      .map(({ _id }) => ({ _id, attempts: countAttempts(index, _id, at) }))
      .sort((a, b) => b.attempts - a.attempts)[0];
    return tried !== undefined && tried.attempts >= ATTEMPTS
      ? []
      : [`after ${tried?.attempts} attempts at ${tried?._id} without a reply: ${note.content.slice(0, 80)}`];
  });
}

/**
 * Runs without a reply, plus attempts that were counted although a kill kept their request from going out. For those the
 * journal has one more than the gateway. A process can leave at most one of them per row.
 */
function countAttempts(index: Index, notificationId: string, until: number): number {
  const runs = index.runsOf(notificationId).filter((run) => run.startedAt < until && !index.replyOf(run));
  const unsent = index.lives.filter(({ number, killedAt, exitedAt, journal }) => {
    if (killedAt === null || exitedAt > until) return false;
    const counted =
      attemptsIn(journal, notificationId) - attemptsIn(index.lives[number - 2]?.journal, notificationId);
    return counted === runs.filter(({ life }) => life === number).length + 1;
  });
  return runs.length + unsent.length;
}

const attemptsIn = (journal: readonly JournalRow[] | undefined, notificationId: string): number =>
  journal?.find(({ id }) => id === notificationId)?.attempts ?? 0;

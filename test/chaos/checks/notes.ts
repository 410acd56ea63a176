import type { DumpedMessage } from '../../support/contract-backend/dump.ts';
import type { Index } from '../index.ts';

/** After this many runs without a reply a notification is given up. */
const ATTEMPTS = 5;

/** The note in the thread for a notification that is given up; every other message of an agent is a reply. */
const isNote = ({ authorType, content }: DumpedMessage): boolean =>
  authorType === 'agent' && !content.startsWith('reply ');

export const countNotes = ({ state }: Index): number => state.messages.filter(isNote).length;

/** The notifications that a note stands for. (A note for a row that had a reply before does not name its row.) */
export const givenUp = ({ state }: Index): Set<string> =>
  new Set(
    state.messages.filter(isNote).flatMap(({ sourceNotificationId: id }) => (id === undefined ? [] : [id])),
  );

/** Notes in threads of which no notification had five runs without a reply before it. */
export function findRashNotes(index: Index): string[] {
  return index.state.messages.filter(isNote).flatMap((note) => {
    const at = index.postedAt(note);
    const tried = index.rows
      .filter(({ taskId, recipientId }) => taskId === note.taskId && recipientId === note.authorId)
      .map(({ _id }) => index.runsOf(_id).filter((run) => run.startedAt < at && !index.replyOf(run)).length);
    const most = Math.max(0, ...tried);
    return most >= ATTEMPTS
      ? []
      : [`after ${most} runs without a reply ${note.taskId} was told: ${note.content.slice(0, 80)}`];
  });
}

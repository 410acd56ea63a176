import type { Message, Row } from '../../local/client.ts';

/** What has become of a question so far. */
export type Answer =
  /** Nobody was notified of it. */
  | { kind: 'unheard' }
  | { kind: 'waiting'; rows: readonly Row[] }
  /** An agent is done with it, and has written nothing: it had nothing to say. */
  | { kind: 'silent'; recipientId: string }
  | { kind: 'replied'; message: Message };

interface Look {
  question: string;
  /** Ids of the agents that may answer; empty when any agent may. */
  asked: readonly string[];
  rows: readonly Row[];
  thread: readonly Message[];
}

/**
 * Looks for the answer to this very question. The question's message has a notification for the agent; when that is
 * delivered and the agent has written since, the agent's message is the answer. A reply to an older question belongs to
 * another notification.
 */
export function findAnswer({ question, asked, rows, thread }: Look): Answer {
  const ours = rows.filter(
    ({ messageId, recipientType, recipientId }) =>
      messageId === question &&
      recipientType === 'agent' &&
      (asked.length === 0 || asked.includes(recipientId)),
  );
  if (ours.length === 0) return { kind: 'unheard' };
  const done = ours.filter(({ deliveredAt }) => deliveredAt !== undefined);
  const after = thread.slice(thread.findIndex(({ messageId }) => messageId === question) + 1);
  for (const { recipientId } of done) {
    // A session answers its messages one after another, so the agent's last message so far answers this one.
    const message = after.findLast(
      ({ authorType, authorId }) => authorType === 'agent' && authorId === recipientId,
    );
    if (message !== undefined) return { kind: 'replied', message };
  }
  const [first] = done;
  return first !== undefined && done.length === ours.length
    ? { kind: 'silent', recipientId: first.recipientId }
    : { kind: 'waiting', rows: ours };
}

/** How many older messages of the same session are still to be answered before this row. */
export const countBefore = (row: Row, rows: readonly Row[]): number =>
  rows.filter(
    (other) =>
      other.recipientId === row.recipientId &&
      other.taskId === row.taskId &&
      other.deliveredAt === undefined &&
      other.createdAt < row.createdAt,
  ).length;

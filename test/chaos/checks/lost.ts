import type { DumpedMessage, DumpedNotification } from '../../kits/contract-backend/dump.ts';
import type { Index } from '../index.ts';
import { givenUp } from './notes.ts';

/** Rows that were never delivered, and rows that were marked although nobody answered their last message. */
export function findLost(index: Index): string[] {
  const messages = new Map(index.state.messages.map((message) => [message._id, message]));
  const written = usersMessages(index);
  const noted = givenUp(index);
  return index.rows.flatMap((row) => {
    const name = `${row.type} ${row._id}`;
    if (row.deliveredAt === undefined) return [`${name} was never delivered`];
    if (noted.has(row._id)) return [];
    const message = row.messageId === undefined ? undefined : messages.get(row.messageId);
    const about = (message && /\bm\d+\b/.exec(message.content)?.[0]) ?? row.type;
    const answered = index.runsOf(row._id).some((run) => run.end === 'completed' && run.about === about);
    if (answered || isStale(index, row, message, written)) return [];
    return [`${name} is marked delivered, but no run answered ${about}`];
  });
}

/** When people's messages came into their threads, by task, in their order. */
function usersMessages(index: Index): Map<string, number[]> {
  const people = index.state.messages.filter(({ authorType }) => authorType === 'user');
  const byTask = Map.groupBy(people, ({ taskId }) => taskId);
  return new Map(
    [...byTask].map(([taskId, messages]) => [taskId, messages.map((message) => index.postedAt(message))]),
  );
}

/**
 * Whether a rule skipped the row: a later message of a person was in the thread when the row was read to decide. That
 * message's own notification brings the agent the whole thread. (The last read only checks whether a mark came too late.)
 */
function isStale(
  index: Index,
  row: DumpedNotification,
  message: DumpedMessage | undefined,
  written: Map<string, number[]>,
): boolean {
  if (row.type !== 'thread_update' || message === undefined) return false;
  const decided = index.historyOf(row._id).loads.at(-2)?.at ?? 0;
  const writtenAt = index.postedAt(message);
  return written.get(message.taskId)?.some((at) => at > writtenAt && at <= decided) ?? false;
}

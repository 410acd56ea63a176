import type { DumpedMessage, DumpedNotification } from '../../support/contract-backend/dump.ts';
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
    if (answered || isStale(row, message, written)) return [];
    return [`${name} is marked delivered, but no run answered ${about}`];
  });
}

/** The times of people's messages, by task, in their order. */
function usersMessages({ state }: Index): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (const { authorType, taskId, createdAt } of state.messages) {
    if (authorType !== 'user') continue;
    const known = times.get(taskId);
    if (known === undefined) times.set(taskId, [createdAt]);
    else known.push(createdAt);
  }
  return times;
}

/** A later message of a person was there before the mark: the contract has the row skipped, that one is answered. */
function isStale(
  row: DumpedNotification,
  message: DumpedMessage | undefined,
  written: Map<string, number[]>,
): boolean {
  if (row.type !== 'thread_update' || message === undefined) return false;
  const next = written.get(message.taskId)?.find((time) => time > message.createdAt);
  return next !== undefined && next <= (row.deliveredAt ?? 0);
}

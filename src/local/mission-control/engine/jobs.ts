import type { JSONValue } from 'convex/values';
import type { Engine } from './engine.ts';
import { spend } from './limits.ts';
import { SCHEDULED } from './schema.ts';
import type { Transaction } from './transaction.ts';

export interface JobRequest {
  name?: string;
  args: JSONValue;
  /** Seconds since the epoch. */
  ts: number;
}

const MAX_ARGS_BYTES = 4 * 1024 * 1024;

/** Schedules a function, as part of the transaction. @returns the job's id */
export function scheduleJob(
  engine: Engine,
  transaction: Transaction,
  { name, args, ts }: JobRequest & { name: string },
): string {
  const { path, kind } = engine.find(name);
  if (kind === 'query') throw new Error(`${path} is a query: only mutations and actions can be scheduled.`);
  const size = JSON.stringify(args).length;
  if (size > MAX_ARGS_BYTES) throw new Error(`Scheduled arguments are over ${MAX_ARGS_BYTES} bytes.`);
  spend(transaction.usage, 'scheduled', 1);
  spend(transaction.usage, 'scheduledBytes', size);
  return transaction.insert(SCHEDULED, {
    name: path,
    args: [args],
    scheduledTime: ts * 1000,
    state: { kind: 'pending' },
  });
}

/** A job that has begun or ended stays as it is. */
export function cancelJob(transaction: Transaction, id: string): Record<string, never> {
  const text = transaction.get(id, SCHEDULED);
  if (text === null) throw new Error(`There is no scheduled function ${id}.`);
  const { state } = JSON.parse(text) as { state: { kind: string } };
  if (state.kind === 'pending') {
    transaction.patch(id, { state: { kind: 'canceled' }, completedTime: Date.now() }, SCHEDULED);
  }
  return {};
}

/** Threads in which agents answer each other, as delivery remembers them (docs/contract.md#chatter). */
import type { Thread } from '../notification/chatter.ts';
import type { ChildOutput, DispatchContext } from './context.ts';
import { withoutKeys } from './parts.ts';

export interface ThreadNews {
  taskId: string;
  threads: DispatchContext['threads'];
  /** Whether the thread has just become held, or has just become free. */
  changed: boolean;
  /** One sentence for /health; null where nothing is held. */
  problem: string | null;
}

/** The name of the problem. */
export const threadSource = (taskId: string): string => `thread:${taskId}`;

/** What the end of a child changes about its thread; null where it changes nothing. */
export function threadNews({ threads, settings }: DispatchContext, output: ChildOutput): ThreadNews | null {
  const taskId = output.session.split('/')[1] ?? '';
  if (output.kind === 'beat' || output.outcome === 'handedBack') return null;
  const { thread, outcome } = output;
  const before = threads[taskId];
  if (thread === null && before === undefined) return null;
  const isHeld =
    thread !== null &&
    thread.chain >= settings.chainLimit &&
    (outcome === 'chatter' || before?.held === true);
  const others = withoutKeys(threads, [taskId]);
  return {
    taskId,
    threads: thread === null ? others : { ...others, [taskId]: { ...thread, held: isHeld } },
    changed: isHeld !== (before?.held ?? false),
    problem: isHeld ? describe(thread) : null,
  };
}

const describe = ({ title, chain }: Thread): string =>
  `Agents only answer each other on the task "${title}": ${chain} messages in a row. What they write there is held until a person writes.`;

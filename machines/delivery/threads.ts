/** The actions for threads in which agents answer each other: delivery remembers them (docs/contract.md#chatter). */
import { enqueueActions, sendTo } from 'xstate';
import { isQuiet, type Thread } from '../notification/chatter.ts';
import type { ChildOutput, DispatchContext } from './context.ts';
import { condition, withoutKeys } from './parts.ts';
import { withTroubles } from './troubles.ts';

/** How long chatter that was held is a problem on /health. */
const CHATTER_TOLD_MS = 3_600_000;

interface ThreadNews {
  taskId: string;
  threads: DispatchContext['threads'];
  /** Whether the thread has just become held, or has just become free. */
  changed: boolean;
  /** One sentence for /health; null where nothing is held. */
  problem: string | null;
}

/** The name of the problem. */
const threadSource = (taskId: string): string => `thread:${taskId}`;

/** What the end of a child changes about its thread; null where it changes nothing. */
export function threadNews(
  { threads, settings }: Pick<DispatchContext, 'threads' | 'settings'>,
  output: ChildOutput,
): ThreadNews | null {
  const taskId = output.session.split('/')[1] ?? '';
  if (output.kind === 'beat' || output.outcome === 'handedBack') return null;
  const { thread, outcome } = output;
  const before = threads[taskId];
  // A long run ends with what it read at its beginning.
  if (thread === null || (before !== undefined && thread.newest < before.newest)) return null;
  const isHeld = thread.chain >= settings.chainLimit && (outcome === 'chatter' || before?.held === true);
  const others = withoutKeys(threads, [taskId]);
  return {
    taskId,
    threads: isQuiet(thread) ? others : { ...others, [taskId]: { ...thread, held: isHeld } },
    changed: isHeld !== (before?.held ?? false),
    problem: isHeld ? describe(thread) : null,
  };
}

const describe = ({ title, chain }: Thread): string =>
  `Agents only answer each other on the task "${title}": ${chain} messages in a row. What they write there is held until a person writes.`;

export const withThreads = withTroubles.extend({
  actions: {
    noteThread: enqueueActions(({ enqueue: then, context }, { output }: { output: ChildOutput }) => {
      const news = threadNews(context, output);
      if (news === null) return;
      const { taskId, threads, changed, problem } = news;
      then.assign({ threads });
      if (!changed) return;
      const source = threadSource(taskId);
      then.sendTo(context.parent, condition(source, problem));
      then.cancel(source);
      then.raise({ type: 'chatter.aged', taskId }, { id: source, delay: CHATTER_TOLD_MS });
    }),
    endChatter: sendTo(
      ({ context }) => context.parent,
      (_, { taskId }: { taskId: string }) => condition(threadSource(taskId)),
    ),
  },
});

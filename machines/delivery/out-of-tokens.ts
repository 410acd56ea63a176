/** The actions for agents that have used up their tokens of the day: they rest, and their threads get a note. */
import { enqueueActions } from 'xstate';
import { isSpent, isWarned, limitFor, restSource, type Spent } from '../shared/spending.ts';
import { agentIn } from '../shared/child-messages.ts';
import { whoIs } from '../shared/who.ts';
import type { DispatchContext, TokenRest, RestNoteOutput } from './context.ts';
import { withPoll } from './poll.ts';
import { condition, withoutKeys } from './parts.ts';
import { itemId } from './queue.ts';

const restNoteId = (session: string): string => `rest:${session}`;

/** The agents at rest, with that change for the agent of the session. */
function withRest(
  outOfTokens: DispatchContext['outOfTokens'],
  session: string,
  change: (rest: TokenRest) => Partial<TokenRest>,
): DispatchContext['outOfTokens'] {
  const rest = outOfTokens[agentIn(session)];
  return rest === undefined
    ? outOfTokens
    : { ...outOfTokens, [agentIn(session)]: { ...rest, ...change(rest) } };
}

const without = (keys: readonly string[], key: string): string[] => keys.filter((other) => other !== key);

/** The `done` event of a note, which XState types loosely. */
export const restNoteOf = ({ event }: { event: unknown }): { output: RestNoteOutput } =>
  event as { output: RestNoteOutput };

export const withOutOfTokens = withPoll.extend({
  guards: {
    isRestNote: (_, { output }: { output: { kind: string } }) => output.kind === 'restNote',
  },
  actions: {
    /** What the agents had used before this delivery began. */
    restAtStart: enqueueActions(({ enqueue: then, context }) => {
      for (const spent of context.sources.spent()) {
        if (isSpent(context.settings.tokenLimits, spent)) then.raise({ type: 'tokens.spent', spent });
      }
    }),
    noteSpent: enqueueActions(({ enqueue: then, context }, { spent }: { spent: Spent }) => {
      const { settings, outOfTokens, parent } = context;
      const { agentId, agent, tokens, dayEndsInMs } = spent;
      const limit = limitFor(settings.tokenLimits, agent);
      if (limit === null || outOfTokens[agentId] !== undefined) return;
      if (isWarned(settings.tokenLimits, spent))
        then.sendTo(parent, { type: 'tokens.low', agent, tokens, limit });
      if (!isSpent(settings.tokenLimits, spent)) return;
      then.assign({ outOfTokens: { ...outOfTokens, [agentId]: { spent, told: [], notDue: [] } } });
      then.raise({ type: 'day.over', agentId }, { delay: Math.max(1, dayEndsInMs) });
      then.sendTo(parent, { type: 'tokens.low', agent, tokens, limit });
      const problem = `@${agent} has used ${tokens} tokens today, and AGENT_TOKENS_PER_DAY gives it ${limit}. It rests until the next UTC day, and its messages wait. A start with a higher limit wakes it earlier.`;
      then.sendTo(parent, condition(restSource(agent), problem));
      then.raise({ type: 'rest.told', moved: [] });
    }),
    /** Each thread that waits for an agent that rests is told, for the first of its rows that somebody may wait for. */
    tellRests: enqueueActions(
      ({ enqueue: then, context: { queue, outOfTokens } }, { moved }: { moved: readonly string[] }) => {
        for (const { key, agentId, phase, items } of queue.sessions) {
          const rest = outOfTokens[agentId];
          if (rest === undefined || rest.told.includes(key)) continue;
          // The head of such a session is being answered.
          const isAnswered = phase === 'running' || phase === 'answering';
          const waiting = (isAnswered ? items.slice(1) : items)
            .filter((item) => item.kind === 'notification')
            .find((item) => moved.includes(itemId(item)) || !rest.notDue.includes(itemId(item)));
          if (waiting === undefined) continue;
          const { title } = whoIs(rest.spent.agent, waiting.given?.task?.title ?? waiting.row.title);
          then.assign(({ context }) => ({
            outOfTokens: withRest(context.outOfTokens, key, ({ told }) => ({ told: [...told, key] })),
          }));
          then.spawnChild('tellRest', {
            id: restNoteId(key),
            input: { session: key, title, notificationId: itemId(waiting) },
          });
        }
      },
    ),
    endRestNote: enqueueActions(({ enqueue: then, context }, { output }: { output: RestNoteOutput }) => {
      const { session, notificationId, result } = output;
      then.stopChild(restNoteId(session));
      if (result === 'told') return;
      // The next page tries again, or another row of the thread.
      then.assign({
        outOfTokens: withRest(context.outOfTokens, session, ({ told, notDue }) => ({
          told: without(told, session),
          ...(result === 'notDue' && { notDue: [...without(notDue, notificationId), notificationId] }),
        })),
      });
      if (result === 'notDue') then.raise({ type: 'rest.told', moved: [] });
    }),
    endRest: enqueueActions(({ enqueue: then, context }, { agentId }: { agentId: string }) => {
      const rest = context.outOfTokens[agentId];
      if (rest === undefined) return;
      then.assign({ outOfTokens: withoutKeys(context.outOfTokens, [agentId]) });
      then.sendTo(context.parent, condition(restSource(rest.spent.agent)));
    }),
  },
});

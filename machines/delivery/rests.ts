/** The words for agents that have used up their tokens of the day: they rest, and their threads are told. */
import { enqueueActions } from 'xstate';
import { isSpent, isWarned, limitFor, restSource, type Spent } from '../shared/spending.ts';
import type { DispatchContext, RestNoteOutput } from './context.ts';
import { withLooks } from './looks.ts';
import { isWell, withoutKeys } from './parts.ts';
import { itemId, type Session } from './queue.ts';

const dayTimer = (agentId: string): string => `day:${agentId}`;
const restNoteId = (session: string): string => `rest:${session}`;

const withTold = (
  resting: DispatchContext['resting'],
  { agentId, key }: Session,
): DispatchContext['resting'] => {
  const rest = resting[agentId];
  return rest === undefined ? resting : { ...resting, [agentId]: { ...rest, told: [...rest.told, key] } };
};

const withoutTold = (resting: DispatchContext['resting'], session: string): DispatchContext['resting'] =>
  Object.fromEntries(
    Object.entries(resting).map(([id, rest]) => [
      id,
      { ...rest, told: rest.told.filter((key) => key !== session) },
    ]),
  );

export const withRests = withLooks.extend({
  actions: {
    /** What the agents had used before this delivery began. */
    restAtStart: enqueueActions(({ enqueue: then, context }) => {
      for (const spent of context.sources.spent()) {
        if (isSpent(context.settings.tokenLimits, spent)) then.raise({ type: 'tokens.spent', spent });
      }
    }),
    noteSpent: enqueueActions(({ enqueue: then, context }, { spent }: { spent: Spent }) => {
      const { settings, resting, parent } = context;
      const { agentId, agent, tokens, dayEndsInMs } = spent;
      const limit = limitFor(settings.tokenLimits, agent);
      if (limit === null || resting[agentId] !== undefined) return;
      if (isWarned(settings.tokenLimits, spent))
        then.sendTo(parent, { type: 'tokens.low', agent, tokens, limit });
      if (!isSpent(settings.tokenLimits, spent)) return;
      then.assign({ resting: { ...resting, [agentId]: { spent, told: [] } } });
      then.raise({ type: 'day.over', agentId }, { id: dayTimer(agentId), delay: Math.max(1, dayEndsInMs) });
      then.sendTo(parent, { type: 'tokens.low', agent, tokens, limit });
      then.sendTo(parent, {
        type: 'condition.changed',
        source: restSource(agent),
        of: 'delivery',
        problem: `@${agent} has used ${tokens} tokens today, and AGENT_TOKENS_PER_DAY gives it ${limit}. It rests until the next UTC day, and its messages wait. A start with a higher limit wakes it earlier.`,
      });
      then.raise({ type: 'rest.told' });
    }),
    /** Each thread that waits for an agent that rests is told. */
    tellRests: enqueueActions(({ enqueue: then, context: { queue, resting } }) => {
      for (const session of queue.sessions) {
        const rest = resting[session.agentId];
        const [head] = session.items;
        if (rest === undefined || head?.kind !== 'notification' || rest.told.includes(session.key)) continue;
        then.assign(({ context }) => ({ resting: withTold(context.resting, session) }));
        then.spawnChild('tellRest', {
          id: restNoteId(session.key),
          input: { session: session.key, notificationId: itemId(head), agent: rest.spent.agent },
        });
      }
    }),
    endRestNote: enqueueActions(({ enqueue: then, context }, { output }: { output: RestNoteOutput }) => {
      then.stopChild(restNoteId(output.session));
      // The next page tries again.
      if (!output.told) then.assign({ resting: withoutTold(context.resting, output.session) });
    }),
    endRest: enqueueActions(({ enqueue: then, context }, { agentId }: { agentId: string }) => {
      const rest = context.resting[agentId];
      if (rest === undefined) return;
      then.assign({ resting: withoutKeys(context.resting, [agentId]) });
      then.sendTo(context.parent, isWell(restSource(rest.spent.agent)));
    }),
    /** The timers would otherwise outlive delivery. */
    cancelTimers: enqueueActions(({ enqueue: then, context }) => {
      then.cancel('contexts');
      for (const agentId of Object.keys(context.resting)) then.cancel(dayTimer(agentId));
    }),
  },
});

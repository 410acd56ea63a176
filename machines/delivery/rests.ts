/** The words for agents that have used up their tokens of the day: they rest, and their threads are told. */
import { enqueueActions } from 'xstate';
import { isSpent, isWarned, limitFor, restSource, type Spent } from '../shared/spending.ts';
import { agentIn } from '../shared/slot.ts';
import type { DispatchContext, RestNoteOutput } from './context.ts';
import { withLooks } from './looks.ts';
import { isWell, withoutKeys } from './parts.ts';
import { itemId } from './queue.ts';

const dayTimer = (agentId: string): string => `day:${agentId}`;
const restNoteId = (session: string): string => `rest:${session}`;

/** @param keys what is put in the place of `session`; none: it is told again */
const withTold = (
  resting: DispatchContext['resting'],
  session: string,
  ...keys: string[]
): DispatchContext['resting'] => {
  const rest = resting[agentIn(session)];
  if (rest === undefined) return resting;
  const others = rest.told.filter((key) => key !== session && !keys.includes(key));
  return { ...resting, [agentIn(session)]: { ...rest, told: [...others, ...keys] } };
};

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
      then.raise({ type: 'rest.told', moved: [] });
    }),
    /** Each thread that waits for an agent that rests is told, for the first of its rows that somebody may wait for. */
    tellRests: enqueueActions(
      ({ enqueue: then, context: { queue, resting } }, { moved }: { moved: readonly string[] }) => {
        for (const { key, agentId, items } of queue.sessions) {
          const rest = resting[agentId];
          if (rest === undefined || rest.told.includes(key)) continue;
          const row = items.find(
            (item) =>
              item.kind === 'notification' &&
              (moved.includes(itemId(item)) || !rest.told.includes(itemId(item))),
          );
          if (row === undefined) continue;
          then.assign(({ context }) => ({ resting: withTold(context.resting, key, key) }));
          then.spawnChild('tellRest', {
            id: restNoteId(key),
            input: { session: key, notificationId: itemId(row), agent: rest.spent.agent },
          });
        }
      },
    ),
    endRestNote: enqueueActions(({ enqueue: then, context }, { output }: { output: RestNoteOutput }) => {
      const { session, notificationId, result } = output;
      then.stopChild(restNoteId(session));
      // The next page tries again.
      if (result === 'failed') then.assign({ resting: withTold(context.resting, session) });
      if (result !== 'notDue') return;
      then.assign({ resting: withTold(context.resting, session, notificationId) });
      then.raise({ type: 'rest.told', moved: [] });
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

/** Heartbeats that are due: taken into the queue, skipped, or refused. */
import { assign, sendTo, stateIn } from 'xstate';
import type { BeatAnswer, DeliveryEvent } from './context.ts';
import { enqueue } from './queue.ts';
import { withListFailures } from './list-failures.ts';

type DueBeat = Extract<DeliveryEvent, { type: 'beat.due' }>;

export const beatDue = [
  { guard: 'draining', actions: { type: 'refuseBeat', params: ({ event }: { event: DueBeat }) => event } },
  {
    // The agent is not away. It only rests.
    guard: { type: 'agentRests', params: ({ event }: { event: DueBeat }) => event },
    actions: { type: 'skipBeat', params: ({ event }: { event: DueBeat }) => event },
  },
  { actions: { type: 'takeBeat', params: ({ event }: { event: DueBeat }) => event } },
] as const;

export const withBeats = withListFailures.extend({
  guards: {
    draining: stateIn({ active: { mode: 'draining' } }),
    agentRests: ({ context }, { agent }: { agent: { _id: string } }) =>
      context.outOfTokens[agent._id] !== undefined,
  },
  actions: {
    takeBeat: assign(({ context }, due: DueBeat) => ({
      queue: enqueue(context.queue, {
        kind: 'beat',
        agent: due.agent,
        seen: due.seen,
        dueAt: context.sources.now(),
      }),
      beaters: { ...context.beaters, [`beat:${due.agent._id}`]: due.replyTo },
    })),
    skipBeat: sendTo(
      (_, due: DueBeat) => due.replyTo,
      (): BeatAnswer => ({ type: 'beat.done', focus: null }),
    ),
    refuseBeat: sendTo(
      (_, due: DueBeat) => due.replyTo,
      (): BeatAnswer => ({ type: 'beat.refused' }),
    ),
  },
});

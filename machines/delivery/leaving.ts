/** Region `mode`: at a drain delivery takes nothing more, gives lent rows back, and ends when nothing is under way. */
import { assign, stateIn } from 'xstate';
import { withBeats } from './beats.ts';
import { tellChildren } from './parts.ts';
import { emptyQueue, openIds } from './queue.ts';

/** How long a delivery that has nothing left to do waits for Convex to take its lent rows back. */
const RELEASE_MS = 2_000;

export const withLeaving = withBeats.extend({
  guards: {
    released: stateIn({ active: { mode: { draining: 'released' } } }),
  },
  delays: { releaseLimit: RELEASE_MS },
  actions: {
    /** At a drain, sessions without an actor have nothing to finish. */
    emptyQueue: assign(({ context }) => ({ queue: emptyQueue(context.queue) })),
  },
});

export const mode = withLeaving.createStateConfig({
  description: 'Does delivery still take work?',
  initial: 'accepting',
  states: {
    accepting: {
      description: 'Takes work.',
      on: {
        'delivery.drain': {
          target: 'draining',
          actions: [tellChildren({ type: 'work.leave' }), 'emptyQueue'],
        },
      },
    },
    draining: {
      description: 'Takes nothing more, gives back what it has not begun, and finishes the rest.',
      tags: ['draining'],
      invoke: {
        src: 'releaseRows',
        input: ({ context }) => ({ keep: openIds(context.queue) }),
        onDone: '.released',
        // Mission Control frees them when it has not heard from this runtime for a while.
        onError: '.released',
      },
      on: { 'session.settled': { actions: 'emptyQueue' } },
      initial: 'releasing',
      states: {
        releasing: {
          description: 'Waits a moment until Convex has taken the rows back.',
          after: { releaseLimit: 'released' },
        },
        released: { description: 'May end as soon as nothing is under way.' },
      },
    },
  },
});

import { assign, enqueueActions, fromPromise, sendTo, setup } from 'xstate';
import type { ConditionChanged } from '../shared/condition.ts';
import type { Parent } from '../shared/parent.ts';
import type { Tag } from '../shared/tags.ts';

export interface PulseInput {
  parent: Parent<PulseNews>;
}

export type PulseNews =
  | ConditionChanged
  /** Convex answers again. */
  | { type: 'backend.available' }
  /** Convex does not answer any more. A look at the queue says why. */
  | { type: 'delivery.poll' };

/** What a look found: `silent`: Convex takes the connection and does not answer in time. */
export type Look = { found: 'answered' | 'failed' } | { found: 'silent'; problem: string };

export type PulseEvent =
  /** A call of a function has had no answer for HANGS_AFTER_MS. */
  | { type: 'call.hangs'; name: string }
  /** A call that hung is over. */
  | { type: 'call.ended' };

interface PulseContext {
  parent: Parent<PulseNews>;
  /** Calls that hang. */
  hanging: number;
  /** Looks in a row that had no answer in time. */
  silences: number;
}

/** A call without an answer for this long is a sign of trouble, long before the call is given up; milliseconds. */
export const HANGS_AFTER_MS = 10_000;
/** With a look's limit of 2 s, a Convex that refuses connections is known within 5 s, and a silent one within 10 s. */
const LOOK_EVERY_MS = 4_000;
/** While Convex is away, others wait for it to come back. */
const LOOK_WHILE_AWAY_MS = 500;
/** One slow answer does not count as silence. */
const SILENCES = 2;

const found = ({ event }: { event: { output: Look } }) => ({ look: event.output });

/** Does Convex answer HTTP at all, between the calls of an idle runtime? A look runs no function, so it costs no call. */
export const pulseMachine = setup({
  types: {} as { context: PulseContext; input: PulseInput; events: PulseEvent; tags: Tag },
  actors: {
    lookAtConvex: fromPromise<Look>(() =>
      Promise.reject(new Error('this actor is provided by src/runtime.ts')),
    ),
  },
  guards: {
    answered: (_, { look }: { look: Look }) => look.found === 'answered',
    lastOne: ({ context }) => context.hanging <= 1,
    silent: (_, { look }: { look: Look }) => look.found === 'silent',
    silentAgain: ({ context }, { look }: { look: Look }) =>
      look.found === 'silent' && context.silences + 1 >= SILENCES,
  },
  delays: { lookEvery: LOOK_EVERY_MS, lookWhileAway: LOOK_WHILE_AWAY_MS },
  actions: {
    countSilence: assign(({ context }) => ({ silences: context.silences + 1 })),
    endSilence: enqueueActions(({ enqueue, context }) => {
      if (context.silences >= SILENCES)
        enqueue.sendTo(context.parent, { type: 'condition.changed', source: 'pulse', problem: null });
      enqueue.assign({ silences: 0 });
    }),
    tellSilence: sendTo(
      ({ context }) => context.parent,
      (_, { look }: { look: Look }) => ({
        type: 'condition.changed' as const,
        source: 'pulse',
        problem: look.found === 'silent' ? look.problem : null,
      }),
    ),
    countHanging: assign(({ context }, { by }: { by: 1 | -1 }) => ({ hanging: context.hanging + by })),
    tellHanging: sendTo(
      ({ context }) => context.parent,
      (_, { name }: { name: string }) => ({
        type: 'condition.changed' as const,
        source: 'backend',
        of: 'pulse',
        problem: `Convex has not answered ${name} for ${HANGS_AFTER_MS / 1_000} s: check CONVEX_URL and the deployment.`,
      }),
    ),
    tellAnswered: sendTo(({ context }) => context.parent, {
      type: 'condition.changed',
      source: 'backend',
      of: 'pulse',
      problem: null,
    }),
    tellAway: sendTo(({ context }) => context.parent, { type: 'delivery.poll' }),
    tellBack: sendTo(({ context }) => context.parent, { type: 'backend.available' }),
  },
}).createMachine({
  id: 'pulse',
  description:
    'Does Convex answer at all? It looks between the calls of an idle runtime, and hears of calls that hang.',
  context: ({ input }) => ({ ...input, silences: 0, hanging: 0 }),
  type: 'parallel',
  states: {
    looks: {
      description: 'Does Convex answer HTTP?',
      initial: 'well',
      states: {
        well: {
          description: 'Convex answers.',
          tags: ['ready'],
          initial: 'resting',
          states: {
            resting: { description: 'Waits for the next look.', after: { lookEvery: 'looking' } },
            looking: {
              description: 'Looks.',
              invoke: {
                src: 'lookAtConvex',
                onDone: [
                  { guard: { type: 'answered', params: found }, target: 'resting' },
                  {
                    guard: { type: 'silent', params: found },
                    target: '#pulse.looks.away',
                    actions: ['countSilence', 'tellAway'],
                  },
                  { target: '#pulse.looks.away', actions: 'tellAway' },
                ],
                onError: { target: '#pulse.looks.away', actions: 'tellAway' },
              },
            },
          },
        },
        away: {
          description: 'Convex does not answer. Looks more often.',
          tags: ['degraded'],
          initial: 'resting',
          states: {
            resting: { description: 'Waits for the next look.', after: { lookWhileAway: 'looking' } },
            looking: {
              description: 'Looks.',
              invoke: {
                src: 'lookAtConvex',
                onDone: [
                  {
                    guard: { type: 'answered', params: found },
                    target: '#pulse.looks.well',
                    actions: ['endSilence', 'tellBack'],
                  },
                  {
                    guard: { type: 'silentAgain', params: found },
                    target: 'resting',
                    actions: ['countSilence', { type: 'tellSilence', params: found }],
                  },
                  { guard: { type: 'silent', params: found }, target: 'resting', actions: 'countSilence' },
                  { target: 'resting', actions: 'endSilence' },
                ],
                onError: { target: 'resting', actions: 'endSilence' },
              },
            },
          },
        },
      },
    },
    calls: {
      description: 'Are the calls of the others answered?',
      initial: 'quick',
      states: {
        quick: {
          description: 'No call hangs.',
          on: {
            'call.hangs': {
              target: 'hanging',
              actions: [
                { type: 'countHanging', params: { by: 1 } },
                { type: 'tellHanging', params: ({ event }) => event },
              ],
            },
          },
        },
        hanging: {
          description: 'Convex takes calls and leaves at least one of them without an answer.',
          tags: ['degraded'],
          on: {
            'call.hangs': { actions: { type: 'countHanging', params: { by: 1 } } },
            'call.ended': [
              {
                guard: 'lastOne',
                target: 'quick',
                actions: [{ type: 'countHanging', params: { by: -1 } }, 'tellAnswered'],
              },
              { actions: { type: 'countHanging', params: { by: -1 } } },
            ],
          },
        },
      },
    },
  },
});

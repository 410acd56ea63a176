import { and, type ActorRefFrom } from 'xstate';
import { crashOf } from '../shared/crash.ts';
import { faultParams } from '../shared/fault.ts';
import { freshPoll, noHistory } from './context.ts';
import { EMPTY_LINE, headIds } from './line.ts';
import { deliverySetup, freeSlots } from './setup.ts';

export const deliveryMachine = deliverySetup.createMachine({
  id: 'delivery',
  description: 'The dispatcher: takes undelivered notifications and gives every session a lane of its own.',
  context: ({ input }) => ({
    ...input,
    line: EMPTY_LINE,
    sweepComes: false,
    trialKey: null,
    setAside: [],
    beaters: {},
    // Who knows what the gateway heard from the delivery before this one.
    gatewayInDoubt: true,
    poll: freshPoll,
    history: noHistory,
  }),
  initial: 'active',
  states: {
    active: {
      description: 'At work: may it run, does it still take work, and what does Convex have?',
      type: 'parallel',
      always: { guard: and(['lineEmpty', 'draining']), target: 'drained' },
      on: {
        'lane.settled': { actions: { type: 'settleJob', params: ({ event }) => event } },
        'lane.resting': { actions: { type: 'noteResting', params: ({ event }) => event } },
        'lane.ready': { actions: { type: 'backInLine', params: ({ event }) => event } },
        'run.succeeded': { actions: { type: 'passOn', params: ({ event }) => event } },
        'run.failed': {
          actions: ['countFailedRun', 'doubt', { type: 'passOn', params: ({ event }) => event }],
        },
        'gateway.suspected': { actions: ['doubt', { type: 'passOn', params: ({ event }) => event }] },
        'agent.unknown': { actions: { type: 'passOn', params: ({ event }) => event } },
        'queue.changed': { actions: 'noteChange' },
        // It tells of what comes from now on: what came before is to be looked for.
        'queue.watched': { actions: [{ type: 'noteWatch', params: { watched: true } }, 'noteChange'] },
        'queue.unwatched': { actions: { type: 'noteWatch', params: { watched: false } } },
        'lanes.sweep': { actions: 'sweepLanes' },
        // Nobody tells of a row that comes back into sight, here and at a crash: it is to be looked for.
        'row.reconsider': { actions: [{ type: 'reconsider', params: ({ event }) => event }, 'noteChange'] },
        'delivery.abort': { actions: { type: 'tellLanes', params: { event: { type: 'lane.abort' } } } },
        'backend.available': {
          actions: { type: 'tellLanes', params: { event: { type: 'backend.available' } } },
        },
        'xstate.error.actor.*': {
          guard: { type: 'hasLane', params: crashOf },
          actions: [
            { type: 'reapLane', params: crashOf },
            { type: 'dropLane', params: crashOf },
            'noteChange',
          ],
        },
      },
      states: {
        gate: {
          description: 'May runs go to the gateway?',
          initial: 'choosing',
          states: {
            choosing: {
              description: 'Takes the gate as the supervisor knows it.',
              always: [
                { guard: 'gateOpenAtStart', target: 'open' },
                // The gateway waits for a trial run; the one that was out is gone with the delivery that crashed.
                { guard: 'trialAtStart', target: 'trial' },
                { target: 'closed' },
              ],
            },
            closed: {
              description: 'The gateway is away or refuses: no run starts, rows stay where they are.',
              tags: ['degraded'],
              on: {
                'gateway.available': 'open',
                'gateway.trial': 'trial',
                // Told again for another reason: what fails from now on is excused.
                'gateway.lost': {
                  actions: {
                    type: 'tellLanes',
                    params: ({ event }) => ({ event: { type: 'lane.hold', excused: event.excused } }),
                  },
                },
                'beat.due': { actions: { type: 'refuseBeat', params: ({ event }) => event } },
              },
            },
            trial: {
              description: 'Runs of different sessions failed alike: one at a time goes out, to see.',
              tags: ['degraded'],
              exit: 'endTrial',
              always: {
                guard: and(['trialFree', 'canDeliver']),
                actions: { type: 'grantSlot', params: { trial: true } },
              },
              on: {
                'gateway.available': 'open',
                'gateway.lost': {
                  target: 'closed',
                  actions: {
                    type: 'tellLanes',
                    params: ({ event }) => ({ event: { type: 'lane.hold', excused: event.excused } }),
                  },
                },
                'beat.due': [
                  { guard: 'draining', actions: { type: 'refuseBeat', params: ({ event }) => event } },
                  { actions: { type: 'takeBeat', params: ({ event }) => event } },
                ],
              },
            },
            open: {
              description: 'Runs may go: every free slot goes to the oldest in line.',
              always: {
                guard: and(['slotFree', 'canDeliver']),
                actions: { type: 'grantSlot', params: { trial: false } },
              },
              on: {
                // Where all is well a run that succeeds is no news.
                'run.succeeded': [
                  {
                    guard: 'gatewayInDoubt',
                    actions: ['endDoubt', { type: 'passOn', params: ({ event }) => event }],
                  },
                  {},
                ],
                'gateway.lost': {
                  target: 'closed',
                  actions: {
                    type: 'tellLanes',
                    params: ({ event }) => ({ event: { type: 'lane.hold', excused: event.excused } }),
                  },
                },
                'gateway.trial': 'trial',
                'beat.due': [
                  { guard: 'draining', actions: { type: 'refuseBeat', params: ({ event }) => event } },
                  { actions: { type: 'takeBeat', params: ({ event }) => event } },
                ],
              },
            },
          },
        },
        mode: {
          description: 'Does delivery still take work?',
          initial: 'accepting',
          states: {
            accepting: {
              description: 'Takes work.',
              on: {
                'delivery.drain': {
                  target: 'draining',
                  actions: [{ type: 'tellLanes', params: { event: { type: 'lane.drain' } } }, 'emptyQueue'],
                },
              },
            },
            draining: {
              description: 'Takes nothing more and finishes what is under way.',
              tags: ['draining'],
              // A lane that comes back in line has nothing left to finish.
              on: {
                'lane.ready': {
                  actions: [{ type: 'backInLine', params: ({ event }) => event }, 'emptyQueue'],
                },
                'lane.settled': {
                  actions: [{ type: 'settleJob', params: ({ event }) => event }, 'emptyQueue'],
                },
              },
            },
          },
        },
        poll: {
          description: 'What does Convex have?',
          initial: 'standby',
          states: {
            standby: {
              description: 'The only door to polling: opens when runs may go and work is taken.',
              always: { guard: 'canDeliver', target: 'polling' },
            },
            polling: {
              description: 'Reads the undelivered notifications, oldest first.',
              tags: ['busy'],
              entry: 'startPoll',
              on: {
                'delivery.drain': 'standby',
                'lane.settled': {
                  actions: [
                    { type: 'settleJob', params: ({ event }) => event },
                    { type: 'noteSettled', params: ({ event }) => event },
                  ],
                },
              },
              invoke: {
                src: 'listUndelivered',
                input: ({ context }) => ({
                  limit: context.poll.asked,
                  contexts: freeSlots(context),
                  busy: headIds(context.line),
                }),
                onDone: {
                  target: 'waiting',
                  actions: [
                    'announceWell',
                    { type: 'takePage', params: ({ event }) => ({ page: event.output }) },
                  ],
                },
                onError: [
                  {
                    guard: { type: 'tokenRefused', params: faultParams },
                    target: 'refused',
                    actions: { type: 'countPollFailure', params: faultParams },
                  },
                  { target: 'backingOff', actions: { type: 'countPollFailure', params: faultParams } },
                ],
              },
            },
            waiting: {
              description:
                'Waits before the next look: short after activity, up to DELIVERY_INTERVAL when idle, long while a change is told.',
              tags: ['ready'],
              entry: 'drawPoll',
              always: { guard: and(['wantsMore', 'canDeliver']), target: 'standby' },
              on: {
                'delivery.drain': 'standby',
                'queue.watched': {
                  target: 'waiting',
                  reenter: true,
                  actions: [{ type: 'noteWatch', params: { watched: true } }, 'noteChange'],
                },
                'queue.unwatched': {
                  target: 'waiting',
                  reenter: true,
                  actions: { type: 'noteWatch', params: { watched: false } },
                },
                'lane.settled': {
                  guard: 'slowPoll',
                  target: 'waiting',
                  reenter: true,
                  actions: { type: 'settleJob', params: ({ event }) => event },
                },
                'delivery.poll': 'standby',
                'gateway.available': 'standby',
                'gateway.trial': 'standby',
              },
              after: { pollInterval: 'standby' },
            },
            backingOff: {
              description:
                'Convex did not give the list: waits with backoff, or until it shows signs of life.',
              tags: ['degraded'],
              entry: [
                { type: 'drawBackoff', params: { refused: false } },
                { type: 'announceTrouble', params: { severity: 'degraded' } },
              ],
              on: {
                'delivery.poll': 'standby',
                // The subscription is back: so is Convex.
                'queue.watched': {
                  target: 'standby',
                  actions: { type: 'noteWatch', params: { watched: true } },
                },
                'backend.available': {
                  target: 'standby',
                  actions: { type: 'tellLanes', params: { event: { type: 'backend.available' } } },
                },
              },
              after: { pollBackoff: 'standby' },
            },
            refused: {
              description:
                'Mission Control refuses the service token: somebody must set the right one. Tried again slowly.',
              tags: ['degraded', 'attention'],
              entry: [
                { type: 'drawBackoff', params: { refused: true } },
                { type: 'announceTrouble', params: { severity: 'failed' } },
              ],
              on: {
                'delivery.poll': 'standby',
                'backend.available': {
                  target: 'standby',
                  actions: { type: 'tellLanes', params: { event: { type: 'backend.available' } } },
                },
              },
              after: { pollBackoff: 'standby' },
            },
          },
        },
      },
    },
    drained: {
      description: 'Nothing is under way any more.',
      tags: ['draining'],
      type: 'final',
    },
  },
});

export type DeliveryActor = ActorRefFrom<typeof deliveryMachine>;

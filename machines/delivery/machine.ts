import { and, type ActorRefFrom } from 'xstate';
import { agentIn, type News } from '../shared/child-messages.ts';
import { crashOf } from '../shared/crash.ts';
import { beatDue } from './beats.ts';
import { freshPoll } from './context.ts';
import { deliverySetup } from './dispatch.ts';
import { noHistory } from './history.ts';
import { mode } from './leaving.ts';
import { freeSlots, outputOf, tellChildren } from './parts.ts';
import { EMPTY_QUEUE, headIds } from './queue.ts';
import { restNoteOf } from './out-of-tokens.ts';
import { agentScope, awayScope, callsScope, sessionScope, waitScope } from './scopes.ts';
import { troubleOf } from './troubles.ts';
import { backingOff, listFailed, refused } from './list-failures.ts';

const excuse = [
  'excuseScopes',
  {
    type: 'tellChildren',
    params: ({ event }: { event: { ailing?: boolean } }) => ({
      event: { type: 'gateway.excused', ailing: event.ailing === true } as const,
    }),
  },
] as const;
/** The gate closes. Runs that failed because of the gateway or its model provider are not their notifications' failures. */
const lost = [
  {
    guard: { type: 'isExcused', params: ({ event }: { event: { excused: boolean } }) => event },
    target: 'closed',
    actions: excuse,
  },
  { target: 'closed' },
] as const;

/** A run that succeeded says that its agent and its notification are well. */
const runPassed = {
  type: 'notePassed',
  params: ({ event: { session } }: { event: { session: string } }) => ({
    scopes: [agentScope(agentIn(session)), sessionScope(session), waitScope(session)],
  }),
} as const;

const runFailed = [
  'countFailedRun',
  'doubt',
  { type: 'passOn', params: ({ event }: { event: News<'run.failed'> }) => event },
] as const;

const childEnded = [
  { type: 'settleChild', params: outputOf },
  { type: 'noteThread', params: outputOf },
  { type: 'leaveAside', params: outputOf },
  { type: 'noteStuck', params: outputOf },
  { type: 'endScopes', params: outputOf },
] as const;

export const deliveryMachine = deliverySetup.createMachine({
  id: 'delivery',
  description:
    'The dispatcher: takes undelivered notifications and starts an actor for the head of each session.',
  context: ({ input: { random, spent, now, moment, offerKnown, ...input } }) => ({
    ...input,
    sources: { random, spent, now, moment },
    queue: EMPTY_QUEUE,
    trials: { session: null, tried: [] },
    troubles: {},
    threads: {},
    passedBy: 0,
    outOfTokens: {},
    setAside: [],
    endedAside: [],
    beaters: {},
    // The delivery before this one may have reported a failed run.
    gatewayInDoubt: true,
    poll: { ...freshPoll, offerKnown },
    history: noHistory,
  }),
  initial: 'active',
  states: {
    active: {
      description: 'At work: may runs go, does it still take work, and what does Convex have?',
      type: 'parallel',
      entry: 'restAtStart',
      always: { guard: and(['queueEmpty', 'released']), target: 'drained' },
      on: {
        'xstate.done.actor.*': [
          {
            guard: { type: 'isTrouble', params: troubleOf },
            actions: { type: 'endTrouble', params: troubleOf },
          },
          {
            guard: { type: 'isRestNote', params: restNoteOf },
            actions: { type: 'endRestNote', params: restNoteOf },
          },
          { guard: { type: 'knowsChild', params: outputOf }, actions: childEnded },
        ],
        'function.failed': { actions: { type: 'noteFailure', params: ({ event }) => event } },
        'function.away': { actions: { type: 'noteFailure', params: ({ event }) => event } },
        'run.limited': { actions: { type: 'noteFailure', params: ({ event }) => event } },
        'session.troubled': { actions: { type: 'noteFailure', params: ({ event }) => event } },
        'function.passed': {
          actions: {
            type: 'notePassed',
            params: ({ event }) => ({
              scopes: [event.name, awayScope(event.name), callsScope(event.session)],
            }),
          },
        },
        'trouble.found': { actions: { type: 'noteTrouble', params: ({ event }) => event } },
        'slot.wanted': {
          actions: [
            { type: 'noteAlone', params: ({ event }) => event },
            { type: 'noteReady', params: ({ event }) => event },
          ],
        },
        'slot.returned': { actions: { type: 'noteReturned', params: ({ event }) => event } },
        'child.rested': { actions: { type: 'noteResting', params: ({ event }) => event } },
        'run.succeeded': { actions: [runPassed, { type: 'passOn', params: ({ event }) => event }] },
        'run.failed': { actions: runFailed },
        'gateway.suspected': { actions: ['doubt', { type: 'passOn', params: ({ event }) => event }] },
        'tokens.spent': { actions: { type: 'noteSpent', params: ({ event }) => event } },
        'rest.told': { actions: { type: 'tellRests', params: ({ event }) => event } },
        'day.over': { actions: { type: 'endRest', params: ({ event }) => event } },
        'run.stalled': { actions: { type: 'noteStall', params: ({ event }) => event } },
        'run.heard': { actions: { type: 'noteHeard', params: ({ event }) => event } },
        'agent.unknown': { actions: { type: 'passOn', params: ({ event }) => event } },
        'extensions.asked': { actions: 'noteOffer' },
        'queue.changed': { actions: 'noteChange' },
        // Delivery still has to look for what came before the watch began.
        'queue.watched': { actions: [{ type: 'noteWatch', params: { watched: true } }, 'noteChange'] },
        'queue.unwatched': { actions: { type: 'noteWatch', params: { watched: false } } },
        'contexts.aged': { actions: 'forgetContexts' },
        // Nothing announces that a row may be taken again, so delivery looks for it. It does the same after a crash.
        'row.reconsider': { actions: [{ type: 'reconsider', params: ({ event }) => event }, 'noteChange'] },
        'chatter.aged': { actions: { type: 'endChatter', params: ({ event }) => event } },
        'delivery.abort': { actions: tellChildren({ type: 'work.abort' }) },
        'backend.available': { actions: tellChildren({ type: 'backend.available' }) },
        'journal.available': { actions: tellChildren({ type: 'journal.available' }) },
        'xstate.error.actor.*': {
          guard: { type: 'hasSession', params: crashOf },
          actions: [
            { type: 'reapChild', params: crashOf },
            { type: 'dropChild', params: crashOf },
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
                // The gateway waits for a trial run. The one that was open ended with the delivery that crashed.
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
                // The gate is closed already. The reason has changed, and may excuse runs now.
                'gateway.lost': {
                  guard: { type: 'isExcused', params: ({ event }) => event },
                  actions: excuse,
                },
                'beat.due': { actions: { type: 'refuseBeat', params: ({ event }) => event } },
              },
            },
            trial: {
              description: 'Runs of different sessions failed alike: one at a time goes out, to see.',
              tags: ['degraded'],
              exit: 'endTrial',
              always: [
                { guard: and(['headWaits', 'accepting']), actions: 'startNext' },
                { guard: and(['trialFree', 'accepting']), actions: 'grantTrial' },
              ],
              on: {
                'gateway.available': 'open',
                'gateway.lost': lost,
                'beat.due': beatDue,
              },
            },
            open: {
              description: 'Runs may go: every free slot goes to the oldest session that is ready.',
              entry: ['endTrials', tellChildren({ type: 'gateway.available' })],
              always: [{ guard: and(['headWaits', 'accepting']), actions: 'startNext' }],
              initial: 'shared',
              states: {
                shared: {
                  description: 'Many runs at once, as many as there are slots.',
                  always: [
                    { guard: and(['slotFree', 'accepting']), actions: 'grantSlot' },
                    { guard: and(['aloneFree', 'accepting']), target: 'alone' },
                    { guard: and(['aloneDue', 'accepting']), target: 'clearing' },
                  ],
                },
                clearing: {
                  description: 'No new run for a while: a session has waited long enough to run alone.',
                  always: [
                    { guard: 'noneAlone', target: 'shared' },
                    { guard: and(['aloneFree', 'accepting']), target: 'alone' },
                  ],
                  after: { aloneLimit: 'alone' },
                },
                alone: {
                  description: 'One run goes alone: the gateway went down while it was open, more than once.',
                  entry: 'grantAlone',
                  always: { guard: 'noRunOpen', target: 'shared' },
                  after: { aloneLimit: 'shared' },
                },
              },
              on: {
                // A run that succeeds is no news while all is well.
                'run.succeeded': [
                  {
                    guard: 'gatewayInDoubt',
                    actions: ['endDoubt', runPassed, { type: 'passOn', params: ({ event }) => event }],
                  },
                  { actions: runPassed },
                ],
                'run.failed': {
                  actions: [...runFailed, { type: 'noteFailure', params: ({ event }) => event }],
                },
                'gateway.lost': lost,
                'gateway.trial': 'trial',
                'beat.due': beatDue,
              },
            },
          },
        },
        mode,
        poll: {
          description: 'What does Convex have?',
          initial: 'standby',
          states: {
            standby: {
              description:
                'Every look starts here: while work is taken, and once Convex was asked what it offers.',
              always: { guard: and(['offerKnown', 'accepting']), target: 'polling' },
            },
            polling: {
              description: 'Reads the undelivered notifications, oldest first.',
              tags: ['busy'],
              entry: 'startPoll',
              on: {
                'delivery.drain': 'standby',
                'session.settled': { actions: { type: 'noteSettled', params: ({ event }) => event } },
              },
              invoke: {
                src: 'listUndelivered',
                input: ({ context }) => ({
                  limit: context.poll.asked,
                  contexts: freeSlots(context),
                  busy: headIds(context.queue),
                  cursor: context.poll.cursor,
                }),
                onDone: {
                  target: 'waiting',
                  actions: [
                    'announceWell',
                    { type: 'takePage', params: ({ event }) => ({ page: event.output }) },
                    'endIdleScopes',
                  ],
                },
                onError: listFailed,
              },
            },
            waiting: {
              description:
                'Waits before the next look: short after activity, up to DELIVERY_INTERVAL when idle, long while a change is told.',
              tags: ['ready'],
              entry: 'drawPoll',
              always: { guard: and(['wantsMore', 'accepting']), target: 'standby' },
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
                'session.settled': { guard: 'slowPoll', target: 'waiting', reenter: true },
                'delivery.poll': 'standby',
                'gateway.available': 'standby',
                'gateway.trial': 'standby',
              },
              after: { pollInterval: 'standby' },
            },
            backingOff,
            refused,
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

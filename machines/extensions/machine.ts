import { assign, enqueueActions, fromCallback, fromPromise, sendTo, setup } from 'xstate';
import { backoff, REFUSED_BACKOFF, type BackoffLimits } from '../shared/backoff.ts';
import { faultParams, type Fault } from '../shared/fault.ts';
import type { Parent } from '../shared/parent.ts';
import type { Tag } from '../shared/tags.ts';

export interface ExtensionsInput {
  parent: Parent<ExtensionsNews>;
  /** Subscribe to the queue where the backend offers it. */
  wakeUp: boolean;
  backend: BackoffLimits;
  /** A number in [0, 1). */
  random: () => number;
}

export type ExtensionsNews =
  /** What the backend offers, sent when it changes. Empty: it offers only the contract. */
  | { type: 'extensions.known'; functions: readonly string[] }
  /** A question is over, whatever came of it. */
  | { type: 'extensions.asked' }
  /** From now on every change of the queue is announced. Delivery must look once for what came before. */
  | { type: 'queue.watched' }
  | { type: 'queue.unwatched' }
  | { type: 'queue.changed' }
  /** The subscription ended with an error. */
  | { type: 'queue.unwatchable'; reason: string };

/** The events of the subscription. */
export type WatchNews =
  /** It is connected and has read the queue once. */
  | { type: 'watch.began' }
  /** The connection is gone; the client restores it by itself. */
  | { type: 'watch.lost' }
  | { type: 'queue.changed' }
  /** It ended, and no event follows. */
  | { type: 'watch.failed'; fault: Fault };

export type ExtensionsEvent =
  | WatchNews
  | { type: 'backend.available' }
  /** An offered function failed without a reason. Nobody calls it again until the backend offers it again. */
  | { type: 'extension.failed'; name: string };

interface ExtensionsContext extends ExtensionsInput {
  /** null until the backend has answered. */
  functions: readonly string[] | null;
  failures: number;
  retryInMs: number;
  /** Why the question failed, or why the subscription ended. */
  reason: string | null;
}

/**
 * A deployment may get functions while this process runs. A backend without extensions logs an error for each question,
 * so one question a day is enough.
 */
const ASK_AGAIN_MS = 86_400_000;

const notProvided = () => Promise.reject(new Error('this actor is provided by src/runtime.ts'));

const watchParams = ({ event }: { event: { fault: Fault } }) => ({ fault: event.fault });

export const extensionsMachine = setup({
  types: {} as { context: ExtensionsContext; input: ExtensionsInput; events: ExtensionsEvent; tags: Tag },
  actors: {
    /** The names of the functions that the backend offers; empty when it knows no extensions. */
    askExtensions: fromPromise<readonly string[]>(notProvided),
    /** The subscription to the queue. Stopping the actor closes it. */
    watchQueue: fromCallback<{ type: 'watch.stop' }, null>(() => undefined),
  },
  guards: {
    tokenRefused: (_, params: { fault: Fault }) => params.fault.kind === 'backendRefused',
    nothingOffered: ({ context }) => (context.functions ?? []).length === 0,
    wakesUp: ({ context }) => context.wakeUp && (context.functions ?? []).includes('wakeUp'),
  },
  delays: {
    askAgain: ASK_AGAIN_MS,
    askBackoff: ({ context }) => context.retryInMs,
  },
  actions: {
    keepAnswer: enqueueActions(({ enqueue, context }, params: { functions: readonly string[] }) => {
      const functions = [...params.functions].sort();
      enqueue.assign({ functions });
      if (functions.join() === context.functions?.join()) return;
      enqueue.sendTo(context.parent, { type: 'extensions.known', functions });
    }),
    dropFunction: enqueueActions(({ enqueue, context }, { name }: { name: string }) => {
      const { functions: offered } = context;
      if (offered?.includes(name) !== true) return;
      const functions = offered.filter((one) => one !== name);
      enqueue.assign({ functions });
      enqueue.sendTo(context.parent, { type: 'extensions.known', functions });
    }),
    tellAsked: sendTo(({ context }) => context.parent, { type: 'extensions.asked' }),
    countFailure: assign(({ context }, { fault }: { fault: Fault }) => {
      const failures = context.failures + 1;
      const limits = fault.kind === 'backendRefused' ? REFUSED_BACKOFF : context.backend;
      return {
        failures,
        retryInMs: backoff(failures, limits, context.random(), fault.retryAfterMs),
        reason: fault.message,
      };
    }),
    forgetFailures: assign({ failures: 0, reason: null }),
    tellWatched: sendTo(({ context }) => context.parent, { type: 'queue.watched' }),
    tellUnwatched: sendTo(({ context }) => context.parent, { type: 'queue.unwatched' }),
    tellChanged: sendTo(({ context }) => context.parent, { type: 'queue.changed' }),
    tellUnwatchable: sendTo(
      ({ context }) => context.parent,
      (_, { fault }: { fault: Fault }) => ({ type: 'queue.unwatchable' as const, reason: fault.message }),
    ),
  },
}).createMachine({
  id: 'extensions',
  description: 'What the backend offers beyond the contract, and the subscription that wakes delivery.',
  context: ({ input }) => ({ ...input, functions: null, failures: 0, retryInMs: 0, reason: null }),
  initial: 'asking',
  on: { 'extension.failed': { actions: { type: 'dropFunction', params: ({ event }) => event } } },
  states: {
    asking: {
      description: 'Asks the backend what it offers; nothing is assumed.',
      tags: ['busy'],
      invoke: {
        src: 'askExtensions',
        onDone: {
          target: 'choosing',
          actions: [
            { type: 'keepAnswer', params: ({ event }) => ({ functions: event.output }) },
            'tellAsked',
          ],
        },
        onError: [
          {
            guard: { type: 'tokenRefused', params: faultParams },
            target: 'refused',
            actions: [{ type: 'countFailure', params: faultParams }, 'tellAsked'],
          },
          { target: 'unsure', actions: [{ type: 'countFailure', params: faultParams }, 'tellAsked'] },
        ],
      },
    },
    choosing: {
      description: 'Is there something to subscribe to?',
      always: [
        { guard: 'wakesUp', target: 'watching' },
        { guard: 'nothingOffered', target: 'absent', actions: 'forgetFailures' },
        { target: 'offered', actions: 'forgetFailures' },
      ],
    },
    absent: {
      description: 'The backend has the contract alone. Asks again after a day, and at the next start.',
      tags: ['ready'],
      after: { askAgain: 'asking' },
    },
    offered: {
      description: 'The backend offers functions, and no wake-up that is wanted.',
      tags: ['ready'],
      on: { 'backend.available': 'asking' },
      after: { askAgain: 'asking' },
    },
    unsure: {
      description: 'The backend did not say what it offers: trouble, not absence. Asks again with backoff.',
      tags: ['degraded'],
      on: { 'backend.available': 'asking' },
      after: { askBackoff: 'asking' },
    },
    refused: {
      description: 'Mission Control refuses the service token. Asks again slowly.',
      tags: ['degraded', 'attention'],
      on: { 'backend.available': 'asking' },
      after: { askBackoff: 'asking' },
    },
    watching: {
      description:
        'Subscribed to the queue. The client restores a lost connection by itself. Asks again after a day.',
      after: { askAgain: 'asking' },
      initial: 'connecting',
      invoke: {
        src: 'watchQueue',
        input: null,
        // This is a bug in the runtime. Delivery polls meanwhile, and the subscription is tried again.
        onError: {
          target: 'unsure',
          actions: [
            { type: 'countFailure', params: faultParams },
            { type: 'tellUnwatchable', params: faultParams },
          ],
        },
      },
      on: {
        'watch.failed': [
          {
            guard: { type: 'tokenRefused', params: watchParams },
            target: 'refused',
            actions: [
              { type: 'countFailure', params: watchParams },
              { type: 'tellUnwatchable', params: watchParams },
            ],
          },
          {
            target: 'unsure',
            actions: [
              { type: 'countFailure', params: watchParams },
              { type: 'tellUnwatchable', params: watchParams },
            ],
          },
        ],
      },
      states: {
        connecting: {
          description: 'Not connected yet: delivery polls.',
          tags: ['starting'],
          on: { 'watch.began': 'connected' },
        },
        connected: {
          description: 'A change of the queue is told at once.',
          tags: ['ready'],
          entry: ['forgetFailures', 'tellWatched'],
          exit: 'tellUnwatched',
          on: { 'watch.lost': 'reconnecting', 'queue.changed': { actions: 'tellChanged' } },
        },
        reconnecting: {
          description: 'The connection is lost: delivery polls until it is back.',
          tags: ['degraded'],
          on: { 'watch.began': 'connected' },
        },
      },
    },
  },
});

import { assign, fromCallback, fromPromise, sendTo, setup } from 'xstate';
import { backoff, type BackoffLimits } from '../shared/backoff.ts';
import type { ConditionChanged } from '../shared/condition.ts';
import { faultParams, type Fault } from '../shared/fault.ts';
import type { Parent } from '../shared/parent.ts';
import type { Tag } from '../shared/tags.ts';

export interface JournalInput {
  parent: Parent<JournalNews>;
  disk: BackoffLimits;
  random: () => number;
}

export type JournalNews =
  | ConditionChanged
  /** The disk takes what is written again, and has what it had not taken. */
  | { type: 'journal.available' };

/** `problem` is in sentences for an operator. */
export type JournalEvent = { type: 'journal.failed'; problem: string };

interface JournalContext extends JournalInput {
  failures: number;
  retryInMs: number;
  problem: string | null;
}

export const journalMachine = setup({
  types: {} as { context: JournalContext; input: JournalInput; events: JournalEvent; tags: Tag },
  actors: {
    /** Tells when the disk fails, and at once if it has failed before. */
    watchDisk: fromCallback<JournalEvent, null>(() => undefined),
    /** Writes what the disk has not taken. */
    catchUp: fromPromise<void>(() => Promise.reject(new Error('this actor is provided by src/runtime.ts'))),
  },
  delays: {
    diskBackoff: ({ context }) => context.retryInMs,
  },
  actions: {
    keepProblem: assign((_, { fault }: { fault: Pick<Fault, 'message'> }) => ({ problem: fault.message })),
    countFailure: assign(({ context }) => {
      const failures = context.failures + 1;
      return { failures, retryInMs: backoff(failures, context.disk, context.random()) };
    }),
    forgetFailures: assign({ failures: 0, retryInMs: 0, problem: null }),
    announceCondition: sendTo(
      ({ context }) => context.parent,
      ({ context }) => ({
        type: 'condition.changed' as const,
        source: 'journal',
        problem: context.problem,
      }),
    ),
    announceAvailable: sendTo(({ context }) => context.parent, { type: 'journal.available' }),
  },
}).createMachine({
  id: 'journal',
  description: 'Whether the disk takes what must survive a restart. What it has not taken is kept in memory.',
  context: ({ input }) => ({ ...input, failures: 0, retryInMs: 0, problem: null }),
  initial: 'available',
  states: {
    available: {
      description: 'Everything that was put is on the disk.',
      tags: ['ready'],
      invoke: {
        src: 'watchDisk',
        input: null,
        onError: {
          target: 'unavailable',
          actions: { type: 'keepProblem', params: faultParams },
        },
      },
      on: {
        'journal.failed': {
          target: 'unavailable',
          actions: { type: 'keepProblem', params: ({ event }) => ({ fault: { message: event.problem } }) },
        },
      },
    },
    unavailable: {
      description: 'The disk has failed: values stay in memory, and the disk is tried again with backoff.',
      tags: ['degraded'],
      initial: 'resting',
      states: {
        resting: {
          description: 'Waits before the disk is tried again: each try may stop the process for a second.',
          entry: ['countFailure', 'announceCondition'],
          after: { diskBackoff: 'trying' },
        },
        trying: {
          description: 'Writes what the disk has not taken.',
          tags: ['busy'],
          invoke: {
            src: 'catchUp',
            onDone: {
              target: '#journal.available',
              actions: ['forgetFailures', 'announceCondition', 'announceAvailable'],
            },
            onError: { target: 'resting', actions: { type: 'keepProblem', params: faultParams } },
          },
        },
      },
    },
  },
});

import { assign, enqueueActions, fromPromise, setup } from 'xstate';
import { backoff, REFUSED_BACKOFF, type BackoffLimits } from '../shared/backoff.ts';
import type { ConditionChanged } from '../shared/condition.ts';
import { Fault, faultParams } from '../shared/fault.ts';
import type { RuntimeStatus } from '../shared/mission-control.ts';
import type { Parent } from '../shared/parent.ts';
import type { Tag } from '../shared/tags.ts';

export interface StatusReporterInput {
  parent: Parent<StatusReporterNews>;
  status: RuntimeStatus;
  /** At least this often, in milliseconds; the backend calls a runtime stale after 90 s. */
  intervalMs: number;
  random: () => number;
  /** Wall clock in milliseconds, for what is shown. */
  now: () => number;
}

export type StatusReporterNews =
  | ConditionChanged
  | { type: 'backend.available' }
  /** `asked`: false where Mission Control says that it asks for no upgrade and no restart. */
  | { type: 'status.reported'; status: RuntimeStatus; asked: boolean };

export type StatusReporterEvent =
  | { type: 'status.changed'; status: RuntimeStatus }
  /** The last report before the process leaves. */
  | { type: 'status.lastWord'; status: RuntimeStatus }
  | { type: 'backend.available' };

interface StatusReporterContext extends StatusReporterInput {
  /** The status that was last reported. */
  reported: RuntimeStatus | null;
  lastReportAt: number | null;
  failures: number;
  retryInMs: number;
  lastErrorMessage: string | null;
}

/**
 * The backend takes a runtime for dead 90 s after the time in its last report, which is the time of sending. In the worst
 * case a report takes 15 s, the next one follows after 40 s, takes 15 s and is lost, and is repeated after 1 s in
 * another 15 s. Together that is 86 s.
 */
const REPORT_LIMIT_MS = 15_000;
const LONGEST_WAIT_MS = 40_000;

/** Short, so that a report arrives well before the backend's 90 s are over. */
const REPORT_BACKOFF: BackoffLimits = { baseMs: 1_000, capMs: 15_000 };

const TOO_SLOW = new Fault(
  'backendUnavailable',
  `Convex did not answer within ${REPORT_LIMIT_MS / 1_000} s.`,
);

export const statusReporterMachine = setup({
  types: {} as {
    context: StatusReporterContext;
    input: StatusReporterInput;
    events: StatusReporterEvent;
    tags: Tag;
  },
  actors: {
    reportStatus: fromPromise<{ asked: boolean }, { status: RuntimeStatus }>(() =>
      Promise.reject(new Error('this actor is provided by src/runtime.ts')),
    ),
  },
  guards: {
    tokenRefused: (_, params: { fault: Fault }) => params.fault.kind === 'backendRefused',
    changedMeanwhile: ({ context }) => context.reported !== context.status,
  },
  delays: {
    reportInterval: ({ context }) => Math.min(context.intervalMs, LONGEST_WAIT_MS),
    reportLimit: REPORT_LIMIT_MS,
    reportBackoff: ({ context }) => context.retryInMs,
  },
  actions: {
    keepStatus: assign((_, params: { status: RuntimeStatus }) => ({ status: params.status })),
    /** Remembers the status that is being reported. A change meanwhile is reported next. */
    noteTold: assign(({ context }) => ({ reported: context.status })),
    countReport: enqueueActions(({ enqueue, context }, { asked }: { asked: boolean }) => {
      if (context.failures > 0) enqueue.sendTo(context.parent, { type: 'backend.available' });
      enqueue.assign({ failures: 0, lastReportAt: context.now(), lastErrorMessage: null });
      enqueue.sendTo(context.parent, { type: 'condition.changed', source: 'statusReporter', problem: null });
      const status = context.reported ?? context.status;
      enqueue.sendTo(context.parent, { type: 'status.reported', status, asked });
    }),
    countFailure: enqueueActions(({ enqueue, context }, params: { fault: Fault }) => {
      const failures = context.failures + 1;
      const refused = params.fault.kind === 'backendRefused';
      const limits = refused ? REFUSED_BACKOFF : REPORT_BACKOFF;
      enqueue.assign({
        failures,
        reported: null,
        retryInMs: backoff(failures, limits, context.random(), params.fault.retryAfterMs),
        lastErrorMessage: params.fault.message,
      });
      enqueue.sendTo(context.parent, {
        type: 'condition.changed',
        source: 'statusReporter',
        problem: `The status cannot be reported. ${params.fault.message}`,
        severity: refused ? 'failed' : 'degraded',
      });
    }),
  },
}).createMachine({
  id: 'statusReporter',
  description:
    'Tells Mission Control how the runtime is: at once on a change, and often enough not to look dead.',
  context: ({ input }) => ({
    ...input,
    reported: null,
    lastReportAt: null,
    failures: 0,
    retryInMs: 0,
    lastErrorMessage: null,
  }),
  initial: 'reporting',
  on: {
    'status.lastWord': { target: '.lastWord', actions: { type: 'keepStatus', params: ({ event }) => event } },
    'status.changed': { actions: { type: 'keepStatus', params: ({ event }) => event } },
  },
  states: {
    reporting: {
      description: 'Tells Mission Control the status.',
      tags: ['busy'],
      entry: 'noteTold',
      invoke: {
        src: 'reportStatus',
        input: ({ context }) => ({ status: context.status }),
        onDone: {
          target: 'watching',
          actions: { type: 'countReport', params: ({ event }) => event.output },
        },
        onError: [
          {
            guard: { type: 'tokenRefused', params: faultParams },
            target: 'refused',
            actions: { type: 'countFailure', params: faultParams },
          },
          { target: 'backingOff', actions: { type: 'countFailure', params: faultParams } },
        ],
      },
      after: {
        reportLimit: { target: 'backingOff', actions: { type: 'countFailure', params: { fault: TOO_SLOW } } },
      },
    },
    watching: {
      description: 'Mission Control knows; waits for a change or the next report.',
      tags: ['ready'],
      always: { guard: 'changedMeanwhile', target: 'reporting' },
      after: { reportInterval: 'reporting' },
    },
    backingOff: {
      description: 'Mission Control could not be told: tries again with a short backoff.',
      tags: ['degraded'],
      on: { 'backend.available': 'reporting' },
      after: { reportBackoff: 'reporting' },
    },
    refused: {
      description:
        'Mission Control refuses the service token: somebody must set the right one. Tried again slowly.',
      tags: ['degraded', 'attention'],
      on: { 'backend.available': 'reporting' },
      after: { reportBackoff: 'reporting' },
    },
    lastWord: {
      description: 'The last report before leaving; once, and the supervisor bounds it.',
      tags: ['draining'],
      invoke: {
        src: 'reportStatus',
        input: ({ context }) => ({ status: context.status }),
        onDone: 'reported',
        onError: 'reported',
      },
    },
    reported: {
      description: 'Has said its last word.',
      tags: ['draining'],
      type: 'final',
    },
  },
});

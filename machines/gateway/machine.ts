import { assign, enqueueActions, fromPromise, sendTo, setup, type ActorRefFrom } from 'xstate';
import { backoff, REFUSED_BACKOFF, type BackoffLimits } from '../shared/backoff.ts';
import type { ConditionChanged } from '../shared/condition.ts';
import type { Evidence, GateNews } from '../shared/evidence.ts';
import { faultOf, faultParams, type Fault, type FaultKind } from '../shared/fault.ts';
import type { Parent } from '../shared/parent.ts';
import type { Tag } from '../shared/tags.ts';
import { extendStreak, isCommonTrouble, type Streak } from './streak.ts';

export interface GatewayInput {
  parent: Parent<GatewayNews>;
  /** Whether OPENCLAW_GATEWAY_URL names a gateway at all. */
  configured: boolean;
  reconnect: BackoffLimits;
  /** A number in [0, 1). */
  random: () => number;
}

export interface Probe {
  version: string | null;
  agents: string[] | null;
}

export type GatewayNews = GateNews | ConditionChanged;

export type GatewayEvent = Evidence | { type: 'gateway.probe' };

interface GatewayContext extends GatewayInput {
  /** Probes that failed in a row. */
  failures: number;
  /** Times in a row that runs were turned away although the probe was answered. */
  suspicions: number;
  /** Runs that failed in a row, over all sessions. */
  streak: Streak;
  trials: number;
  retryInMs: number;
  /** The longest wait asked for by Retry-After, in milliseconds. */
  floorMs: number;
  problem: string | null;
  checks: number;
  version: string | null;
  agents: string[] | null;
}

const TRIAL_LIMITS: BackoffLimits = { baseMs: 5_000, capMs: 60_000 };
/** Well under the 5 s in which /health tells that the gateway is gone; one that hangs takes a probe's own limit longer. */
const CHECK_EVERY_MS = 2_000;
/** Every this many checks also the token and the roster are looked at: about once a minute. */
const DEEP_EVERY = 30;

const NOT_CONFIGURED = 'No gateway is configured (OPENCLAW_GATEWAY_URL is empty): nothing is delivered.';

const machineSetup = setup({
  types: {} as {
    context: GatewayContext;
    input: GatewayInput;
    events: GatewayEvent;
    tags: Tag;
  },
  actors: {
    probeGateway: fromPromise<Probe, { deep: boolean }>(() => Promise.reject(new Error('not provided'))),
  },
  guards: {
    configured: ({ context }) => context.configured,
    firstSuspicion: ({ context }) => context.suspicions <= 1,
    refusal: (_, params: { kind: FaultKind }) =>
      params.kind === 'gatewayRefused' || params.kind === 'gatewayMisconfigured',
    commonTrouble: ({ context }, params: { failed: Extract<Evidence, { type: 'run.failed' }> }) =>
      isCommonTrouble(extendStreak(context.streak, params.failed)),
  },
  delays: {
    checkInterval: CHECK_EVERY_MS,
    reconnectBackoff: ({ context }) => context.retryInMs,
    refusedBackoff: ({ context }) => context.retryInMs,
    trialBackoff: ({ context }) => context.retryInMs,
  },
  actions: {
    keepProbe: assign((_, params: { probe: Probe }) => ({
      failures: 0,
      floorMs: 0,
      ...(params.probe.version !== null && { version: params.probe.version }),
      ...(params.probe.agents !== null && { agents: params.probe.agents }),
    })),
    keepFault: assign((_, params: { fault: Pick<Fault, 'message' | 'retryAfterMs'> }) => ({
      problem: params.fault.message,
      floorMs: params.fault.retryAfterMs,
    })),
    countSuspicion: assign(({ context }) => ({ suspicions: context.suspicions + 1 })),
    clearSuspicion: assign({ suspicions: 0 }),
    countFailedRun: assign(({ context }, params: { failed: Extract<Evidence, { type: 'run.failed' }> }) => ({
      streak: extendStreak(context.streak, params.failed),
    })),
    clearStreak: assign({ streak: [], trials: 0 }),
    countCheck: assign(({ context }) => ({ checks: context.checks + 1 })),
    drawReconnect: assign(({ context }) => {
      const failures = context.failures + 1;
      // Suspicions count as well: a gateway that answers probes and turns runs away must not be asked in a loop.
      const n = Math.max(failures, context.suspicions);
      return { failures, retryInMs: backoff(n, context.reconnect, context.random(), context.floorMs) };
    }),
    drawRefused: assign(({ context }) => {
      const failures = context.failures + 1;
      return { failures, retryInMs: backoff(failures, REFUSED_BACKOFF, context.random(), context.floorMs) };
    }),
    drawTrial: assign(({ context }) => {
      const trials = context.trials + 1;
      return { trials, retryInMs: backoff(trials, TRIAL_LIMITS, context.random()) };
    }),
    nameCommonTrouble: assign((_, params: { reason: string }) => ({
      problem: `Runs of different sessions fail one after another: check the gateway and its model provider. ${params.reason}`,
    })),
    announceAvailable: enqueueActions(({ enqueue, context }) => {
      enqueue.assign({ problem: null });
      // The condition first: who hears that the gate moved should find the account's status right already.
      enqueue.sendTo(context.parent, { type: 'condition.changed', source: 'gateway', problem: null });
      enqueue.sendTo(context.parent, { type: 'gateway.available' });
    }),
    announceLost: enqueueActions(({ enqueue, context }, params: { excused: boolean }) => {
      enqueue.sendTo(context.parent, {
        type: 'condition.changed',
        source: 'gateway',
        problem: context.problem ?? NOT_CONFIGURED,
      });
      enqueue.sendTo(context.parent, { type: 'gateway.lost', excused: params.excused });
    }),
    announceTrial: sendTo(({ context }) => context.parent, { type: 'gateway.trial' }),
  },
});

/** What a failed probe leads to, wherever it was made. */
const probeFailed = [
  {
    guard: { type: 'refusal', params: ({ event }: { event: { error: unknown } }) => faultOf(event.error) },
    target: '#gateway.refused',
    actions: { type: 'keepFault', params: faultParams },
  },
  {
    target: '#gateway.degraded',
    actions: { type: 'keepFault', params: faultParams },
  },
] as const;

const keepProbe = {
  type: 'keepProbe',
  params: ({ event }: { event: { output: Probe } }) => ({ probe: event.output }),
} as const;

export const gatewayMachine = machineSetup.createMachine({
  id: 'gateway',
  description: 'Whether runs can be sent to the OpenClaw gateway. Opens and closes the gate of delivery.',
  context: ({ input }) => ({
    ...input,
    failures: 0,
    suspicions: 0,
    streak: [],
    trials: 0,
    retryInMs: 0,
    floorMs: 0,
    problem: null,
    checks: 0,
    version: null,
    agents: null,
  }),
  initial: 'choosing',
  on: {
    'run.succeeded': { actions: ['clearStreak', 'clearSuspicion'] },
  },
  states: {
    choosing: {
      description: 'Is there a gateway to speak to at all?',
      always: [{ guard: 'configured', target: 'probing' }, { target: 'disabled' }],
    },
    disabled: {
      description: 'No gateway is configured: delivery stays closed, everything else works.',
      tags: ['degraded'],
      entry: { type: 'announceLost', params: { excused: false } },
    },
    probing: {
      description: 'The first look at the gateway; nothing waits for it.',
      tags: ['starting'],
      invoke: {
        src: 'probeGateway',
        input: { deep: true },
        onDone: { target: 'connected', actions: keepProbe },
        onError: probeFailed,
      },
    },
    connected: {
      description: 'The gateway answers and takes runs.',
      initial: 'steady',
      entry: 'announceAvailable',
      on: {
        'run.failed': [
          {
            guard: { type: 'commonTrouble', params: ({ event }) => ({ failed: event }) },
            target: 'ailing',
            actions: { type: 'nameCommonTrouble', params: ({ event }) => ({ reason: event.reason }) },
          },
          { actions: { type: 'countFailedRun', params: ({ event }) => ({ failed: event }) } },
        ],
        'gateway.suspected': [
          {
            guard: { type: 'refusal', params: ({ event }) => event },
            target: 'refused',
            actions: {
              type: 'keepFault',
              params: ({ event }) => ({ fault: { message: event.reason, retryAfterMs: event.retryAfterMs } }),
            },
          },
          {
            target: '.suspect',
            actions: [
              'countSuspicion',
              {
                type: 'keepFault',
                params: ({ event }) => ({
                  fault: { message: event.reason, retryAfterMs: event.retryAfterMs },
                }),
              },
            ],
          },
        ],
      },
      states: {
        steady: {
          description: 'All is well; the next check is on its way.',
          tags: ['ready'],
          after: { checkInterval: 'checking' },
          on: { 'gateway.probe': 'checking' },
        },
        checking: {
          description: 'Asks the gateway whether it is still ready. Runs go on meanwhile.',
          tags: ['ready'],
          entry: 'countCheck',
          invoke: {
            src: 'probeGateway',
            input: ({ context }) => ({ deep: context.checks % DEEP_EVERY === 0 }),
            onDone: { target: 'steady', actions: [keepProbe, 'clearSuspicion'] },
            onError: probeFailed,
          },
        },
        suspect: {
          description:
            'A run was turned away before it began: the gate is closed until the probe has spoken.',
          tags: ['degraded'],
          entry: { type: 'announceLost', params: { excused: false } },
          // Further lanes that were turned away at the same time say nothing new.
          on: { 'gateway.suspected': {}, 'run.failed': {} },
          invoke: {
            src: 'probeGateway',
            input: { deep: true },
            onDone: [
              { guard: 'firstSuspicion', target: 'steady', actions: [keepProbe, 'announceAvailable'] },
              { target: '#gateway.degraded' },
            ],
            onError: probeFailed,
          },
        },
      },
    },
    degraded: {
      description: 'The gateway is away, not ready, or turns runs away. Tried again with backoff, for ever.',
      tags: ['degraded'],
      entry: { type: 'announceLost', params: { excused: false } },
      initial: 'resting',
      states: {
        resting: {
          description: 'Waits before the next probe.',
          entry: 'drawReconnect',
          after: { reconnectBackoff: 'probing' },
          on: { 'gateway.probe': 'probing', 'run.succeeded': { target: 'probing', actions: 'clearStreak' } },
        },
        probing: {
          description: 'Asks whether the gateway is back.',
          invoke: {
            src: 'probeGateway',
            input: { deep: true },
            onDone: { target: '#gateway.connected', actions: keepProbe },
            onError: probeFailed,
          },
        },
      },
    },
    refused: {
      description:
        'The gateway answers and refuses us, or is not one: a setting is wrong. Tried again slowly.',
      tags: ['degraded', 'attention'],
      entry: { type: 'announceLost', params: { excused: false } },
      initial: 'resting',
      states: {
        resting: {
          description: 'Waits before the next probe; a token that is refused too often is locked out.',
          entry: 'drawRefused',
          after: { refusedBackoff: 'probing' },
          on: { 'gateway.probe': 'probing' },
        },
        probing: {
          description: 'Asks whether we are welcome now.',
          invoke: {
            src: 'probeGateway',
            input: { deep: true },
            onDone: { target: '#gateway.connected', actions: keepProbe },
            onError: probeFailed,
          },
        },
      },
    },
    ailing: {
      description: 'The gateway answers, but runs of different sessions fail alike. One trial run at a time.',
      tags: ['degraded', 'attention'],
      entry: { type: 'announceLost', params: { excused: true } },
      initial: 'resting',
      on: {
        'gateway.suspected': {
          target: '#gateway.degraded',
          actions: {
            type: 'keepFault',
            params: ({ event }) => ({ fault: { message: event.reason, retryAfterMs: event.retryAfterMs } }),
          },
        },
      },
      states: {
        resting: {
          description: 'Waits before the next trial run.',
          entry: 'drawTrial',
          after: { trialBackoff: 'trying' },
          on: {
            'gateway.probe': 'trying',
            // A run that was on its way when trouble was called, and came through.
            'run.succeeded': { target: '#gateway.connected', actions: ['clearStreak', 'clearSuspicion'] },
          },
        },
        trying: {
          description: 'One run may go out; its end decides.',
          entry: 'announceTrial',
          on: {
            'run.succeeded': { target: '#gateway.connected', actions: ['clearStreak', 'clearSuspicion'] },
            'run.failed': {
              target: '#gateway.ailing',
              actions: { type: 'nameCommonTrouble', params: ({ event }) => ({ reason: event.reason }) },
            },
          },
        },
      },
    },
  },
});

export type GatewayActor = ActorRefFrom<typeof gatewayMachine>;

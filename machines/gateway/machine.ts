import { assign, enqueueActions, fromPromise, sendTo, setup, type ActorRefFrom } from 'xstate';
import { backoff, REFUSED_BACKOFF, type BackoffLimits } from '../shared/backoff.ts';
import type { ConditionChanged } from '../shared/condition.ts';
import type { Evidence, GateNews } from '../shared/evidence.ts';
import { faultOf, faultParams, type Fault, type FaultKind } from '../shared/fault.ts';
import type { Parent } from '../shared/parent.ts';
import type { Tag } from '../shared/tags.ts';
import { extendStreak, isCommonTrouble, type Streak } from './streak.ts';

interface GatewayInput {
  parent: Parent<GatewayNews>;
  /** Whether OPENCLAW_GATEWAY_URL names a gateway at all. */
  configured: boolean;
  reconnect: BackoffLimits;
  /** How many agents the account has; 0 before that is known. */
  accountAgents: number;
  /** A number in [0, 1). */
  random: () => number;
}

export interface Probe {
  version: string | null;
  agents: string[] | null;
}

export type GatewayNews = GateNews | ConditionChanged;

export type GatewayEvent =
  Evidence | { type: 'gateway.probe' } | { type: 'agents.synced'; agents: readonly unknown[] };

interface GatewayContext extends GatewayInput {
  /** How many probes in a row found the gateway away. */
  failures: number;
  /** How many probes in a row were refused. */
  refusals: number;
  /** How many runs were turned away since the last one that succeeded, while probes were answered. */
  turnedAway: number;
  /** A run was cut off, and no probe has been answered since. */
  cut: boolean;
  /** The runs that failed since the last one that succeeded, over all sessions. */
  streak: Streak;
  /** How many trial runs went out since the trouble began. */
  trials: number;
  /** How long the present wait takes, in milliseconds. */
  retryInMs: number;
  /** The wait that the gateway asked for with its last answer (Retry-After), in milliseconds; 0 for none. */
  askedMs: number;
  /** What is wrong, in one sentence for an operator; null when all is well. */
  problem: string | null;
  checks: number;
  version: string | null;
  agents: string[] | null;
}

const TRIAL_LIMITS: BackoffLimits = { baseMs: 5_000, capMs: 25_000 };
/** A gateway that is gone shows on /health within 5 s; one that hangs shows when the probe's own limit has passed as well. */
const CHECK_EVERY_MS = 4_000;
/** Every 15th check, about once a minute, also asks for the version and for the list of agents, which checks the token. */
const DEEP_EVERY = 15;

const isRefusal = (kind: FaultKind): boolean => kind === 'gatewayRefused' || kind === 'gatewayMisconfigured';

type Turned = Extract<Evidence, { type: 'gateway.suspected' }>;
type FailedRun = Extract<Evidence, { type: 'run.failed' }>;

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
    /** The gateway answers probes and turns runs away: only a run can tell when that is over. */
    onlyRunsTell: ({ context }) => context.turnedAway > 0,
    turnedAwayAgain: ({ context }) => context.turnedAway > 1,
    refusal: (_, params: { kind: FaultKind }) => isRefusal(params.kind),
    asksForWait: (_, params: { turned: Turned }) => params.turned.retryAfterMs > 0,
    asksForLongerWait: ({ context }, params: { turned: Turned }) =>
      params.turned.retryAfterMs > context.retryInMs,
    cutOff: (_, params: { kind: FaultKind }) => params.kind === 'runCut',
    /** A run that was cut off does not tell whether the gateway takes runs: a probe tells more. */
    cutOffAtTrial: ({ context }, params: { kind: FaultKind }) =>
      context.turnedAway > 0 && params.kind === 'runCut',
    commonTrouble: ({ context }, params: { failed: FailedRun }) =>
      isCommonTrouble(extendStreak(context.streak, params.failed), context.accountAgents === 1),
  },
  delays: {
    checkInterval: CHECK_EVERY_MS,
    reconnectBackoff: ({ context }) => context.retryInMs,
    refusedBackoff: ({ context }) => context.retryInMs,
    trialBackoff: ({ context }) => context.retryInMs,
    askedWait: ({ context }) => context.retryInMs,
  },
  actions: {
    keepProbe: assign((_, params: { probe: Probe }) => ({
      failures: 0,
      refusals: 0,
      askedMs: 0,
      cut: false,
      ...(params.probe.version !== null && { version: params.probe.version }),
      ...(params.probe.agents !== null && { agents: params.probe.agents }),
    })),
    /** A gateway that refused us and then went away is asked as quickly as any other that is away. */
    keepFault: assign((_, params: { fault: Pick<Fault, 'kind' | 'message' | 'retryAfterMs'> }) => ({
      problem: params.fault.message,
      askedMs: params.fault.retryAfterMs,
      ...(isRefusal(params.fault.kind) ? { failures: 0 } : { refusals: 0 }),
    })),
    /** A refused token is not counted: the next probe tells whether it is accepted again. */
    keepTurnedAway: assign(({ context }, { turned }: { turned: Turned }) => ({
      problem: turned.reason,
      askedMs: turned.retryAfterMs,
      turnedAway: context.turnedAway + (turned.kind === 'gatewayRefused' ? 0 : 1),
    })),
    /** A failed probe says more than the runs that were turned away, so the next answered probe counts. */
    believeProbes: assign({ turnedAway: 0 }),
    keepWait: assign((_, { turned }: { turned: Turned }) => ({
      problem: `${turned.reason} It asks for a wait of ${Math.ceil(turned.retryAfterMs / 1000)} s.`,
      retryInMs: turned.retryAfterMs,
    })),
    noteCut: assign({ cut: true }),
    countFailedRun: assign(({ context }, params: { failed: FailedRun }) => ({
      streak: extendStreak(context.streak, params.failed),
    })),
    countAgents: assign((_, { agents }: { agents: readonly unknown[] }) => ({
      accountAgents: agents.length,
    })),
    noteSuccess: assign({ streak: [], trials: 0, turnedAway: 0, cut: false }),
    countCheck: assign(({ context }) => ({ checks: context.checks + 1 })),
    // Runs that are turned away lengthen the wait as failed probes do, so that no loop of probes and runs arises.
    drawReconnect: assign(({ context }) => {
      const failures = context.failures + 1;
      const n = Math.max(failures, context.turnedAway);
      return { failures, retryInMs: backoff(n, context.reconnect, context.random(), context.askedMs) };
    }),
    drawRefused: assign(({ context }) => {
      const refusals = context.refusals + 1;
      return { refusals, retryInMs: backoff(refusals, REFUSED_BACKOFF, context.random(), context.askedMs) };
    }),
    drawTrial: assign(({ context }) => {
      const trials = context.trials + 1;
      return { trials, retryInMs: backoff(trials, TRIAL_LIMITS, context.random()) };
    }),
    /** How its trials end is the question now, and not whether they are taken. */
    nameCommonTrouble: assign((_, params: { reason: string }) => ({
      turnedAway: 0,
      problem: `Runs of different sessions fail one after another: check the gateway and its model provider. ${params.reason}`,
    })),
    announceAvailable: enqueueActions(({ enqueue, context }) => {
      enqueue.assign({ problem: null });
      // The condition goes first: who hears that the gate moved finds the account's status right already.
      enqueue.sendTo(context.parent, { type: 'condition.changed', source: 'gateway', problem: null });
      enqueue.sendTo(context.parent, { type: 'gateway.available' });
    }),
    /** Runs that were cut off right before the gateway was found to be away are not their messages' fault. */
    announceLost: enqueueActions(({ enqueue, context }, params: { excused: boolean }) => {
      enqueue.sendTo(context.parent, {
        type: 'condition.changed',
        source: 'gateway',
        problem: context.problem ?? NOT_CONFIGURED,
      });
      enqueue.sendTo(context.parent, {
        type: 'gateway.lost',
        excused: params.excused || context.cut,
        ...(params.excused && { ailing: true }),
      });
    }),
    announceTrial: sendTo(({ context }) => context.parent, { type: 'gateway.trial' }),
  },
});

/** What a failed probe leads to, wherever it was made. */
const probeFailed = [
  {
    guard: { type: 'refusal', params: ({ event }: { event: { error: unknown } }) => faultOf(event.error) },
    target: '#gateway.refused',
    actions: [{ type: 'keepFault', params: faultParams }, 'believeProbes'],
  },
  {
    target: '#gateway.degraded',
    actions: [{ type: 'keepFault', params: faultParams }, 'believeProbes'],
  },
] as const;

const turned = ({ event }: { event: Turned }) => ({ turned: event });
const failed = ({ event }: { event: FailedRun }) => ({ failed: event });
const nameCommonTrouble = {
  type: 'nameCommonTrouble',
  params: ({ event }: { event: FailedRun }) => ({ reason: event.reason }),
} as const;

/** A run was turned away while its gate was open. */
const turnedAway = [
  {
    guard: { type: 'refusal', params: ({ event }: { event: Turned }) => event },
    target: '#gateway.refused',
    actions: { type: 'keepTurnedAway', params: turned },
  },
  {
    guard: { type: 'asksForWait', params: turned },
    target: '#gateway.waiting',
    actions: { type: 'keepWait', params: turned },
  },
] as const;

/** The gateway may have died with the run: a failed probe tells, and then nobody is to blame for the run. */
const cutOff = { type: 'cutOff', params: ({ event }: { event: FailedRun }) => event } as const;
const keepCut = { 'run.failed': { guard: cutOff, actions: 'noteCut' } } as const;

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
    refusals: 0,
    turnedAway: 0,
    cut: false,
    streak: [],
    trials: 0,
    retryInMs: 0,
    askedMs: 0,
    problem: null,
    checks: 0,
    version: null,
    agents: null,
  }),
  initial: 'choosing',
  on: {
    'run.succeeded': { actions: 'noteSuccess' },
    'agents.synced': { actions: { type: 'countAgents', params: ({ event }) => event } },
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
          { guard: cutOff, target: '.checking', actions: 'noteCut' },
          {
            guard: { type: 'commonTrouble', params: failed },
            target: 'ailing',
            actions: nameCommonTrouble,
          },
          { actions: { type: 'countFailedRun', params: failed } },
        ],
        'gateway.suspected': [
          ...turnedAway,
          { target: '.suspect', actions: { type: 'keepTurnedAway', params: turned } },
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
            onDone: { target: 'steady', actions: keepProbe },
            onError: probeFailed,
          },
        },
        suspect: {
          description:
            'A run was turned away before it began: no run goes out until a probe has been answered.',
          tags: ['degraded'],
          entry: { type: 'announceLost', params: { excused: false } },
          // Other runs were turned away at the same time, which says nothing new.
          on: {
            'gateway.suspected': [...turnedAway, {}],
            'run.failed': [{ guard: cutOff, actions: 'noteCut' }, {}],
          },
          invoke: {
            src: 'probeGateway',
            input: { deep: true },
            onDone: [
              { guard: 'turnedAwayAgain', target: '#gateway.degraded', actions: keepProbe },
              { target: 'steady', actions: [keepProbe, 'announceAvailable'] },
            ],
            onError: probeFailed,
          },
        },
      },
    },
    waiting: {
      description: 'The gateway turned a run away and asked for a wait: no run goes out before it is over.',
      tags: ['degraded'],
      entry: { type: 'announceLost', params: { excused: false } },
      after: { askedWait: '#gateway.degraded.probing' },
      on: {
        'gateway.probe': '#gateway.degraded.probing',
        'run.failed': { guard: cutOff, target: '.checking', actions: 'noteCut' },
        'gateway.suspected': {
          guard: { type: 'asksForLongerWait', params: turned },
          target: 'waiting',
          reenter: true,
          actions: { type: 'keepWait', params: turned },
        },
      },
      initial: 'resting',
      states: {
        resting: { description: 'The wait goes on.' },
        checking: {
          description: 'A run was cut off: is the gateway still there? If it answers, the wait goes on.',
          invoke: {
            src: 'probeGateway',
            input: { deep: true },
            onDone: { target: 'resting', actions: keepProbe },
            onError: probeFailed,
          },
        },
      },
    },
    degraded: {
      description:
        'The gateway is away, not ready, or turns runs away. It is asked again with backoff, for ever.',
      tags: ['degraded'],
      entry: { type: 'announceLost', params: { excused: false } },
      // The gateway may have gone down meanwhile: a probe tells.
      on: { 'run.failed': { guard: cutOff, target: '.probing', actions: 'noteCut' } },
      initial: 'resting',
      states: {
        resting: {
          description: 'Waits before the next probe.',
          entry: 'drawReconnect',
          after: { reconnectBackoff: 'probing' },
          on: { 'gateway.probe': 'probing', 'run.succeeded': { target: 'probing', actions: 'noteSuccess' } },
        },
        probing: {
          description: 'Asks whether the gateway is back.',
          invoke: {
            src: 'probeGateway',
            input: { deep: true },
            onDone: [
              { guard: 'onlyRunsTell', target: '#gateway.ailing.trying', actions: keepProbe },
              { target: '#gateway.connected', actions: keepProbe },
            ],
            onError: probeFailed,
          },
        },
      },
    },
    refused: {
      description:
        'The gateway refuses us, or what answers is no gateway: a setting is wrong. It is asked again slowly.',
      tags: ['degraded', 'attention'],
      entry: { type: 'announceLost', params: { excused: false } },
      on: keepCut,
      initial: 'resting',
      states: {
        resting: {
          description: 'Waits before the next probe: a token that is refused too often is locked out.',
          entry: 'drawRefused',
          after: { refusedBackoff: 'probing' },
          on: { 'gateway.probe': 'probing' },
        },
        probing: {
          description: 'Asks whether we are welcome now.',
          invoke: {
            src: 'probeGateway',
            input: { deep: true },
            onDone: [
              { guard: 'onlyRunsTell', target: '#gateway.ailing.trying', actions: keepProbe },
              { target: '#gateway.connected', actions: keepProbe },
            ],
            onError: probeFailed,
          },
        },
      },
    },
    ailing: {
      description: 'The gateway answers probes, but runs fail alike or are turned away. One trial at a time.',
      tags: ['degraded', 'attention'],
      initial: 'resting',
      on: {
        'gateway.suspected': [
          ...turnedAway,
          { target: '#gateway.degraded', actions: { type: 'keepTurnedAway', params: turned } },
        ],
      },
      states: {
        resting: {
          description: 'Runs failed alike. Waits before the next trial run.',
          entry: [{ type: 'announceLost', params: { excused: true } }, 'drawTrial'],
          after: { trialBackoff: 'trying' },
          on: {
            'gateway.probe': 'trying',
            // This run was under way when the trouble was found, and has succeeded.
            'run.succeeded': { target: '#gateway.connected', actions: 'noteSuccess' },
          },
        },
        trying: {
          description: 'One run may go out, and its end decides.',
          entry: 'announceTrial',
          on: {
            'run.succeeded': { target: '#gateway.connected', actions: 'noteSuccess' },
            'run.failed': [
              {
                guard: { type: 'cutOffAtTrial', params: ({ event }) => event },
                target: '#gateway.connected.checking',
                actions: ['noteSuccess', 'noteCut'],
              },
              // The gateway takes runs again, which was the question. Why this run failed is a different one.
              {
                guard: 'onlyRunsTell',
                target: '#gateway.connected',
                actions: ['noteSuccess', { type: 'countFailedRun', params: failed }],
              },
              { target: '#gateway.ailing', actions: nameCommonTrouble },
            ],
          },
        },
      },
    },
  },
});

export type GatewayActor = ActorRefFrom<typeof gatewayMachine>;

/** Every state that the supervisor can reach: children start, report, crash and leave, and signals come at any moment. */
import { NO_LIMITS } from '../shared/spending.ts';
import { describe, expect, test } from 'vitest';
import type { EventObject, SnapshotFrom } from 'xstate';
import {
  callDone,
  callFailed,
  explore,
  findStuck,
  sends,
  timersOf,
  type Edge,
  type Move,
  type World,
} from '../../test/kits/explore.ts';
import { sampleAgent } from '../../test/kits/samples/mission-control.ts';
import type { Gate } from '../shared/evidence.ts';
import { EXIT, heartbeatId } from './context.ts';
import { supervisorMachine } from './machine.ts';

type Snapshot = SnapshotFrom<typeof supervisorMachine>;
type SupervisorEdge = Edge<typeof supervisorMachine, Ghost>;

interface Ghost {
  /** Crashes that may still happen, so that the walk ends. */
  crashes: number;
  /** Restarts that are on their way. */
  restarts: readonly string[];
  /** What was last said about the gate. */
  gate: Gate;
  /** Whether the queue was last said to be watched. */
  watched: boolean;
  /** The first reason to leave. */
  leaving: 'signal' | 'upgrade' | 'bug' | 'bind' | null;
  /** Delivery was told to finish. */
  drained: boolean;
}

const AGENT = sampleAgent();
const WORKERS = [
  'health',
  'gateway',
  'otherRuntime',
  'pulse',
  'statusReporter',
  'upgrade',
  'agentSync',
  'delivery',
  'extensions',
];

type News = EventObject & Record<string, unknown>;

const NEWS: News[] = [
  { type: 'gateway.available' },
  { type: 'gateway.trial' },
  { type: 'gateway.lost', excused: false },
  { type: 'condition.changed', source: 'gateway', problem: null },
  { type: 'condition.changed', source: 'delivery', problem: 'Away.' },
  { type: 'backend.available' },
  { type: 'queue.watched' },
  { type: 'queue.unwatched' },
  { type: 'queue.changed' },
  { type: 'status.reported', status: 'online' },
  { type: 'signal.terminate', signal: 'SIGTERM' },
  { type: 'signal.upgrade' },
  { type: 'upgrade.requested', reason: 'asked' },
  { type: 'process.crashed', reason: 'bug' },
  { type: 'agents.synced', agents: [AGENT], skipped: [] },
  { type: 'agents.synced', agents: [], skipped: [] },
];

function movesOf(snapshot: Snapshot, ghost: Ghost): Move<Ghost>[] {
  const { alive } = snapshot.context;
  const events: News[] = [
    ...NEWS,
    ...timersOf(snapshot),
    ...(alive.includes('health')
      ? [
          { type: 'health.listening', port: 1 },
          { type: 'health.failed', reason: 'taken' },
          { type: 'health.closed' },
        ]
      : []),
    ...(ghost.drained && alive.includes('delivery') ? [callDone('delivery', undefined)] : []),
    ...(snapshot.matches({ draining: 'reporting' }) ? [callDone('statusReporter', undefined)] : []),
  ];
  return [
    ...events.map((event) => ({ label: JSON.stringify(event), event, ghost })),
    ...ghost.restarts.map((id) => restart(id, ghost)),
    ...(ghost.crashes > 0 ? alive.map((id) => crash(id, ghost)) : []),
  ];
}

const restarted = (id: string): News => ({ type: 'child.restart', id });

const restart = (id: string, ghost: Ghost): Move<Ghost> => ({
  label: `restart ${id}`,
  event: restarted(id),
  ghost: { ...ghost, restarts: ghost.restarts.filter((other) => other !== id) },
});

const crash = (id: string, ghost: Ghost): Move<Ghost> => ({
  label: `${id} crashes`,
  event: callFailed(id, new Error('a bug')),
  ghost: { ...ghost, crashes: ghost.crashes - 1 },
});

const REASONS: Record<string, Ghost['leaving']> = {
  'signal.terminate': 'signal',
  'upgrade.requested': 'upgrade',
  'process.crashed': 'bug',
};

/** What the gateway machine's news mean for the gate. */
const GATES: ReadonlyMap<string, Gate> = new Map([
  ['gateway.available', 'open'],
  ['gateway.trial', 'trial'],
  ['gateway.lost', 'closed'],
]);

function react({ from, to, event, effects, after }: Omit<SupervisorEdge, 'before'>): Ghost {
  const restarts = effects.flatMap((effect) =>
    effect.kind === 'raise' && effect.event.type === 'child.restart' ? [String(effect.event.id)] : [],
  );
  const leftNow = (to.hasTag('draining') || to.status === 'done') && from?.hasTag('draining') !== true;
  const type = event?.type ?? '';
  const gate = GATES.get(type) ?? after.gate;
  const watched = type === 'queue.watched' || (after.watched && type !== 'queue.unwatched');
  return {
    ...after,
    restarts: [...new Set([...after.restarts, ...restarts])].sort(),
    gate: restarts.includes('gateway') ? 'closed' : gate,
    watched: watched && !restarts.includes('extensions'),
    leaving:
      after.leaving ??
      (leftNow
        ? type === 'health.failed'
          ? 'bind'
          : (REASONS[type] ?? (type === 'signal.upgrade' ? 'upgrade' : 'bug'))
        : null),
    drained: after.drained || sends(effects, 'delivery.drain').length > 0,
  };
}

const EXIT_CODES = {
  signal: EXIT.stopped,
  upgrade: EXIT.upgrade,
  bug: EXIT.bug,
  bind: EXIT.cannotBind,
} as const;

function check({ from, to, effects, before, after }: SupervisorEdge): string | null {
  const spawned = effects.flatMap((effect) => (effect.kind === 'spawn' ? [effect.id] : []));
  const wasAlive = from?.context.alive ?? [];
  const stopped = effects.flatMap((effect) => (effect.kind === 'stop' ? [effect.id] : []));
  if (spawned.some((id) => wasAlive.includes(id) && !stopped.includes(id)))
    return 'starts what is up already';
  if (new Set(to.context.alive).size !== to.context.alive.length) return 'counts a child twice';
  if (before.leaving !== null && spawned.length > 0) return 'starts a child on the way out';
  if (sends(effects, 'status.lastWord').length > 0 && after.leaving === 'upgrade')
    return 'says offline before it comes back';
  if (to.context.gate !== after.gate && after.leaving === null)
    return `takes the gate for ${to.context.gate}`;
  if (to.context.watched !== after.watched && after.leaving === null)
    return 'does not know whether the queue is watched';
  if (to.status !== 'done') return null;
  const expected = after.leaving === null ? null : EXIT_CODES[after.leaving];
  return to.context.exitCode === expected
    ? null
    : `exits with ${to.context.exitCode} after ${String(after.leaving)}`;
}

const world: World<typeof supervisorMachine, Ghost> = {
  machine: supervisorMachine,
  input: {
    gatewayConfigured: true,
    delivery: {
      intervalMs: 1_000,
      backend: { baseMs: 1, capMs: 1 },
      runs: { baseMs: 1, capMs: 1 },
      maxConcurrentSessions: 1,
      stallAfterMs: 300_000,
      tokenLimits: NO_LIMITS,
      listLimit: 1,
      chainLimit: 12,
    },
    reconnect: { baseMs: 1, capMs: 1 },
    wakeUp: true,
    statusIntervalMs: 1_000,
    syncIntervalMs: 1_000,
    profileIntervalMs: null,
    upgradeMode: 'exit',
    drainTimeoutMs: 1_000,
    upgradeDrainTimeoutMs: 1_000,
    random: () => 0.5,
    spent: () => [],
    now: () => 0,
    moment: () => ({ boot: 'boot', ms: 0 }),
  },
  ghosts: [{ crashes: 1, restarts: [], gate: 'closed', watched: false, leaving: null, drained: false }],
  moves: movesOf,
  react,
  key: ({ value, context, status }, ghost) =>
    JSON.stringify([
      value,
      status,
      [...context.alive].sort(),
      context.gate,
      context.watched,
      context.exitCode,
      Object.keys(context.conditions).sort(),
      context.agents.length,
      ghost,
    ]),
  check,
};

const walk = explore(world);

describe(`${walk.states} states, ${walk.edges} steps`, () => {
  test('starts nobody twice, sends to nobody who is down, leaves with the right code', () => {
    expect(walk.violation).toBeNull();
    expect(walk.states).toBeGreaterThan(1_000);
  });

  const isStopped = (snapshot: Snapshot): boolean => snapshot.matches('stopped');
  const terminate: News = { type: 'signal.terminate', signal: 'SIGTERM' };

  test('stops from every state although every child hangs', () => {
    const next = (snapshot: Snapshot, ghost: Ghost): Move<Ghost> | null => {
      const event = ghost.leaving === null ? terminate : timersOf(snapshot)[0];
      return event === undefined ? null : { label: event.type, event, ghost };
    };
    expect(findStuck(world, walk, { next, done: isStopped, limit: 7 })).toBeNull();
  });

  test('stops from every state, sooner, when the children do as they are told', () => {
    const next = (snapshot: Snapshot, ghost: Ghost): Move<Ghost> | null => {
      const { alive } = snapshot.context;
      const quiescing =
        snapshot.matches({ draining: 'quiescing' }) || snapshot.matches({ draining: 'aborting' });
      const event =
        ghost.leaving === null
          ? terminate
          : quiescing && alive.includes('delivery')
            ? callDone('delivery', undefined)
            : snapshot.matches({ draining: 'reporting' })
              ? callDone('statusReporter', undefined)
              : { type: 'health.closed' };
      return { label: event.type, event, ghost };
    };
    expect(findStuck(world, walk, { next, done: isStopped, limit: 4 })).toBeNull();
  });

  test('a healthy world brings everybody up from every state', () => {
    const next = (snapshot: Snapshot, ghost: Ghost): Move<Ghost> | null => {
      const [id] = ghost.restarts;
      if (id !== undefined) return restart(id, ghost);
      const event = snapshot.matches({ starting: 'health' })
        ? { type: 'health.listening', port: 1 }
        : snapshot.matches({ starting: 'gateway' })
          ? { type: 'gateway.available' }
          : { type: 'agents.synced', agents: [AGENT], skipped: [] };
      return { label: event.type, event, ghost };
    };
    const done = (snapshot: Snapshot, ghost: Ghost): boolean =>
      ghost.leaving !== null ||
      (snapshot.matches('running') &&
        [...WORKERS, heartbeatId(AGENT)].every((id) => snapshot.context.alive.includes(id)));
    expect(findStuck(world, walk, { next, done, limit: 8 })).toBeNull();
  });
});

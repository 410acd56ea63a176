/** Every state that the gateway machine can reach, with all that probes and runs may tell it. */
import { describe, expect, test } from 'vitest';
import type { SnapshotFrom } from 'xstate';
import {
  callDone,
  callFailed,
  callsOf,
  explore,
  findStuck,
  sends,
  timersOf,
  type Edge,
  type Move,
  type World,
} from '../../test/kits/explore.ts';
import { Fault, type FaultKind } from '../shared/fault.ts';
import { createListener } from '../../test/kits/samples/mission-control.ts';
import { gatewayMachine, type GatewayEvent, type GatewayNews } from './machine.ts';
import { REFUSED_BACKOFF } from '../shared/backoff.ts';
import { whoIs } from '../shared/who.ts';

type Snapshot = SnapshotFrom<typeof gatewayMachine>;

/** What the parent believes after all that it was told. */
interface Ghost {
  gate: 'unknown' | 'closed' | 'trial' | 'open';
  problem: string | null;
}

type Gateway = World<typeof gatewayMachine, Ghost>;

const RECONNECT = { baseMs: 1_000, capMs: 15_000 };
const ASKED_MS = 90_000;
const PROBE = { version: '2026.9.6', agents: ['engineer'] };
const PROBE_FAULTS: FaultKind[] = ['gatewayUnavailable', 'gatewayRefused', 'gatewayMisconfigured', 'bug'];

const failed = (session: string, kind: FaultKind): GatewayEvent => ({
  type: 'run.failed',
  session,
  who: whoIs(session, 'a task'),
  kind,
  reason: 'The run failed.',
});
const turnedAway = (kind: FaultKind, retryAfterMs = 0): GatewayEvent => ({
  type: 'gateway.suspected',
  kind,
  reason: 'No.',
  retryAfterMs,
});

const EVIDENCE: readonly GatewayEvent[] = [
  { type: 'gateway.probe' },
  { type: 'run.succeeded', session: 'a' },
  { type: 'run.succeeded', session: 'b' },
  failed('a', 'runFailed'),
  failed('b', 'runFailed'),
  failed('a', 'runCut'),
  turnedAway('gatewayUnavailable'),
  turnedAway('gatewayRefused'),
  turnedAway('gatewayMisconfigured'),
  turnedAway('gatewayUnavailable', ASKED_MS),
];

function movesOf(snapshot: Snapshot, ghost: Ghost): Move<Ghost>[] {
  const events = [
    ...callsOf(snapshot).flatMap(({ id }) => [
      callDone(id, PROBE),
      ...PROBE_FAULTS.map((kind) => callFailed(id, new Fault(kind, 'No.'))),
    ]),
    ...timersOf(snapshot),
    ...EVIDENCE,
  ];
  return events.map((event) => ({ label: JSON.stringify(event), event, ghost }));
}

const GATE_NEWS = {
  'gateway.available': 'open',
  'gateway.trial': 'trial',
  'gateway.lost': 'closed',
} as const;

function react({
  effects,
  after,
}: {
  effects: Edge<typeof gatewayMachine, Ghost>['effects'];
  after: Ghost;
}): Ghost {
  return effects.reduce<Ghost>((ghost, effect) => {
    if (effect.kind !== 'send') return ghost;
    const { type, problem } = effect.event;
    if (type in GATE_NEWS) return { ...ghost, gate: GATE_NEWS[type as keyof typeof GATE_NEWS] };
    return type === 'condition.changed' ? { ...ghost, problem: problem as string | null } : ghost;
  }, after);
}

/** Counters go on for ever; beyond these values they change nothing but a delay at its cap. */
const few = (n: number): number => Math.min(n, 2);

const keyOf = ({ value, context }: Snapshot, ghost: Ghost): string =>
  JSON.stringify([
    value,
    ghost,
    few(context.failures),
    few(context.refusals),
    few(context.turnedAway),
    context.cut,
    few(context.trials),
    context.streak,
  ]);

function check({ from, to, effects, after }: Edge<typeof gatewayMachine, Ghost>): string | null {
  const open = to.matches({ connected: 'steady' }) || to.matches({ connected: 'checking' });
  const looked = !to.matches('probing');
  if (looked && open !== (after.gate === 'open')) return `the gate is ${after.gate}`;
  if ((after.gate === 'trial') !== to.matches({ ailing: 'trying' })) return 'a trial at the wrong time';
  if (looked && open !== (after.problem === null)) return `the problem is ${String(after.problem)}`;
  const excused = to.matches({ ailing: 'resting' }) || to.context.cut;
  if (sends(effects, 'gateway.lost').some(({ event }) => event.excused !== excused)) {
    return 'excused for the wrong reason';
  }
  if (to.matches('waiting') && to.context.retryInMs !== ASKED_MS) return 'the wait is not the one asked for';
  if (from?.matches('waiting') === true && open) return 'a run may go out before the wait is over';
  const isResting = ['degraded', 'refused', 'ailing'].some((state) =>
    to.matches({ [state]: 'resting' } as never),
  );
  const wasResting = from !== null && JSON.stringify(from.value) === JSON.stringify(to.value);
  if (!isResting || wasResting) return null;
  const { retryInMs } = to.context;
  const cap = to.matches('degraded') ? RECONNECT.capMs : REFUSED_BACKOFF.capMs;
  return retryInMs >= 1 && retryInMs <= cap ? null : `rests for ${retryInMs} ms`;
}

const worldOf = (configured: boolean): Gateway => ({
  machine: gatewayMachine,
  input: {
    parent: createListener<GatewayNews>().parent,
    configured,
    accountAgents: 3,
    reconnect: RECONNECT,
    random: () => 0.5,
  },
  ghosts: [{ gate: 'unknown', problem: null }],
  moves: movesOf,
  react,
  key: keyOf,
  check,
});

describe('with a gateway', () => {
  const world = worldOf(true);
  const walk = explore(world);

  test(`${walk.states} states, ${walk.edges} steps: the parent always knows the truth`, () => {
    expect(walk.violation).toBeNull();
    expect(walk.states).toBeGreaterThan(500);
  });

  test('from every state, a gateway that answers is connected again', () => {
    const next = (snapshot: Snapshot, ghost: Ghost): Move<Ghost> | null => {
      const [call] = callsOf(snapshot);
      const event = snapshot.matches({ ailing: 'trying' })
        ? { type: 'run.succeeded', session: 'a' }
        : call === undefined
          ? timersOf(snapshot)[0]
          : callDone(call.id, PROBE);
      return event === undefined ? null : { label: event.type, event, ghost };
    };
    const done = (snapshot: Snapshot, ghost: Ghost): boolean =>
      snapshot.matches({ connected: 'steady' }) && ghost.gate === 'open' && ghost.problem === null;
    expect(findStuck(world, walk, { next, done, limit: 6 })).toBeNull();
  });

  test('it never gives up: whatever fails, something is always about to happen', () => {
    for (const { snapshot } of walk.reached.values()) {
      const waitsForRun = snapshot.matches({ ailing: 'trying' });
      expect(waitsForRun || callsOf(snapshot).length + timersOf(snapshot).length > 0).toBe(true);
    }
  });
});

test('without a gateway it stays as it is, whatever it hears', () => {
  const walk = explore(worldOf(false));
  expect(walk.violation).toBeNull();
  for (const { snapshot, ghost } of walk.reached.values()) {
    expect(snapshot.value).toBe('disabled');
    expect(ghost.gate).toBe('closed');
  }
});

/** Every state that a heartbeat can reach with an agent that calls tools, a thread, and a Convex that loses answers. */
import { expect, it } from 'vitest';
import type { EventObject, SnapshotFrom } from 'xstate';
import {
  callDone,
  callFailed,
  callsOf,
  explore,
  findStuck,
  spawns,
  timersOf,
  type Edge,
  type Effect,
  type Move,
  type World,
} from '../../test/kits/explore.ts';
import { actingAgent } from '../../test/kits/samples/acting.ts';
import { agentRow } from '../../test/kits/samples/agent-row.ts';
import { createListener, sampleTask } from '../../test/kits/samples/mission-control.ts';
import { Fault, type FaultKind } from '../shared/fault.ts';
import type { NextCall, Rounds } from '../shared/rounds.ts';
import type { BeatCall, BeatInput, BeatPlan, BeatRound } from './context.ts';
import { beatMachine } from './machine.ts';

type Snapshot = SnapshotFrom<typeof beatMachine>;

/** What really happened, which the chart cannot see. */
interface Ghost {
  slot: 'none' | 'wanted' | 'granted';
  leaving: boolean;
  /** How often each call had its effect, by round and place. */
  effects: Readonly<Record<string, number>>;
  /** Calls whose answer the chart has. */
  finished: readonly string[];
  /** Calls that went out. */
  begun: readonly string[];
  /** Messages in the thread. */
  posted: number;
  /** Texts that were kept. */
  letters: number;
  /** One that was sent and has not arrived. */
  onItsWay: boolean;
}

const FRESH: Ghost = {
  slot: 'none',
  leaving: false,
  effects: {},
  finished: [],
  begun: [],
  posted: 0,
  letters: 0,
  onItsWay: false,
};

const TASK = sampleTask();
const PLAN: BeatPlan = {
  isOrchestrator: false,
  tasks: [TASK],
  leftOut: 0,
  focus: TASK,
  thread: [],
  acting: actingAgent({ inBeat: true }),
};
/** Enough to see one round follow another. */
const ROUNDS = 2;
const LIMITS = { baseMs: 1_000, capMs: 8_000 };
const CALLS = ['task_status', 'task_create'].map((name) => ({ callId: name, name, arguments: '{}' }));

const INPUT: BeatInput = {
  parent: createListener<never>().parent as BeatInput['parent'],
  session: 's',
  agent: agentRow('engineer'),
  seen: [],
  backend: LIMITS,
  stallAfterMs: 180_000,
  random: () => 0.5,
  moment: () => ({ boot: 'boot', ms: 1 }),
};

const keyIn = ({ count }: Rounds, { index }: NextCall): string => `${count}:${index}`;

const SHARED: readonly FaultKind[] = ['backendUnavailable', 'backendRejected'];

function movesFrom(snapshot: Snapshot, ghost: Ghost): Move<Ghost>[] {
  return [
    ...callsOf(snapshot).flatMap((call) => outcomes(call, snapshot, ghost)),
    ...timersOf(snapshot).map((event) => ({ label: 'time', event, ghost })),
    ...fromDelivery(ghost),
    ...(ghost.onItsWay
      ? [{ label: 'the message arrives', ghost: { ...ghost, onItsWay: false, posted: ghost.posted + 1 } }]
      : []),
  ];
}

function outcomes(call: { id: string; src: string }, { context }: Snapshot, ghost: Ghost): Move<Ghost>[] {
  const done = (output: unknown, after = ghost, label = 'done'): Move<Ghost> => ({
    label: `${call.src} ${label}`,
    event: callDone(call.id, output),
    ghost: after,
  });
  const failed = (kind: FaultKind, after = ghost): Move<Ghost> => ({
    label: `${call.src} ${kind}`,
    event: callFailed(call.id, new Fault(kind, `${kind}!`)),
    ghost: after,
  });
  switch (call.src) {
    case 'planBeat':
      return [done(PLAN), failed('backendUnavailable')];
    case 'runBeat': {
      const round = (part: Partial<BeatRound>): BeatRound => ({
        calls: [],
        message: null,
        runMs: 1,
        ...part,
      });
      return [
        ...(context.rounds.count < ROUNDS ? [done(round({ calls: CALLS }), ghost, 'calls')] : []),
        done(round({ message: { taskId: TASK._id, content: 'Done.' } }), ghost, 'text'),
        done(round({}), ghost, 'silence'),
        ...(['runFailed', 'gatewayUnavailable'] as const).map((kind) => failed(kind)),
      ];
    }
    case 'makeCall':
      return madeCalls(context.rounds, ghost, done, failed);
    case 'postBeat':
      return [
        done(undefined, { ...ghost, posted: ghost.posted + 1 }),
        failed('backendUnavailable', { ...ghost, onItsWay: true }),
        ...SHARED.map((kind) => failed(kind)),
      ];
    case 'findBeat':
      return [
        done({ found: ghost.posted > 0, mayArriveForMs: ghost.onItsWay ? 1_000 : 0 }),
        ...SHARED.map((kind) => failed(kind)),
      ];
    default:
      return [done(undefined), failed('backendUnavailable')];
  }
}

/** The world does what the actor is asked for: a repeat looks for what the first try made. */
function madeCalls(
  rounds: Rounds,
  ghost: Ghost,
  done: (output: unknown, after: Ghost, label?: string) => Move<Ghost>,
  failed: (kind: FaultKind, after?: Ghost) => Move<Ghost>,
): Move<Ghost>[] {
  const index = rounds.calls.findIndex(({ answer }) => answer === null);
  const key = `${rounds.count}:${index}`;
  const isRepeat = rounds.calls[index]?.begun === true;
  const count = ghost.effects[key] ?? 0;
  const after = { ...ghost, effects: { ...ghost.effects, [key]: isRepeat && count > 0 ? count : count + 1 } };
  const ok = { output: '{"ok":true}', outcome: 'ok' };
  return [
    done(ok, { ...after, finished: [...ghost.finished, key] }),
    failed('backendUnavailable', after),
    failed('backendUnavailable'),
    failed('bug'),
  ];
}

function fromDelivery(ghost: Ghost): Move<Ghost>[] {
  const hear = (event: EventObject & Record<string, unknown>, after: Ghost): Move<Ghost> => ({
    label: event.type,
    event,
    ghost: after,
  });
  return [
    ...(ghost.slot === 'wanted' && !ghost.leaving
      ? [hear({ type: 'slot.granted', trial: false }, { ...ghost, slot: 'granted' })]
      : []),
    ...(ghost.leaving ? [] : [hear({ type: 'work.leave' }, { ...ghost, leaving: true })]),
    hear({ type: 'work.abort' }, { ...ghost, leaving: true }),
    hear({ type: 'backend.available' }, ghost),
  ];
}

function react({ effects, after }: Omit<Edge<typeof beatMachine, Ghost>, 'before'>): Ghost {
  return effects.reduce(reactTo, after);
}

function reactTo(ghost: Ghost, effect: Effect): Ghost {
  if (effect.kind === 'spawn' && effect.src === 'makeCall') {
    const { next, rounds } = effect.input as BeatCall;
    const key = next === null ? '' : keyIn(rounds, next);
    return { ...ghost, begun: [...new Set([...ghost.begun, key])] };
  }
  if (effect.kind === 'spawn' && effect.src === 'keepDeadLetter') {
    return { ...ghost, letters: ghost.letters + 1 };
  }
  if (effect.kind !== 'send') return ghost;
  if (effect.event.type === 'slot.wanted') return { ...ghost, slot: 'wanted' };
  return effect.event.type === 'slot.returned' ? { ...ghost, slot: 'none' } : ghost;
}

type Invariant = (edge: Edge<typeof beatMachine, Ghost>) => string | null;

const callsOnlyInItsRun: Invariant = ({ effects, before, event }) => {
  const made = [...spawns(effects, 'makeCall'), ...spawns(effects, 'runBeat')];
  return made.length > 0 && before.slot !== 'granted' && event?.type !== 'slot.granted'
    ? 'acts without a slot'
    : null;
};

const makesNothingTwice: Invariant = ({ effects, before, after }) => {
  for (const { input } of spawns(effects, 'makeCall')) {
    const { next, rounds } = input as BeatCall;
    if (next === null) return 'makes a call that is none';
    const key = keyIn(rounds, next);
    if (before.finished.includes(key) || next.answer !== null) return `makes ${key} again, which is answered`;
    if (before.begun.includes(key) && !next.begun) return `makes ${key} as if it were new`;
  }
  const twice = Object.entries(after.effects).find(([, count]) => count > 1);
  return twice === undefined ? null : `the effect of ${twice[0]} came twice`;
};

const holdsNoSlotWhileItRests: Invariant = ({ to, after }) => {
  const rests = to.matches('waiting') || to.matches('posting') || to.status === 'done';
  return rests && after.slot === 'granted' ? 'keeps its slot' : null;
};

const beginsNothingWhenItLeaves: Invariant = ({ effects, before }) =>
  before.leaving && spawns(effects, 'makeCall').length > 0 ? 'begins a call although it leaves' : null;

const postsOnce: Invariant = ({ after }) => (after.posted > 1 ? 'posted twice' : null);

const losesNoText: Invariant = ({ to, after }) =>
  to.status === 'done' && to.context.message !== null && after.posted + after.letters === 0
    ? 'a text that was paid for is lost'
    : null;

const asksInOrder: Invariant = ({ effects, to }) =>
  spawns(effects, 'runBeat').length > 0 && to.context.rounds.calls.some(({ answer }) => answer === null)
    ? 'asks the agent before all its calls are answered'
    : null;

const INVARIANTS = [
  callsOnlyInItsRun,
  makesNothingTwice,
  holdsNoSlotWhileItRests,
  beginsNothingWhenItLeaves,
  postsOnce,
  losesNoText,
  asksInOrder,
];

const world: World<typeof beatMachine, Ghost> = {
  machine: beatMachine,
  input: INPUT,
  ghosts: [FRESH],
  moves: movesFrom,
  react,
  key: ({ value, status, context }, ghost) => {
    const { rounds, message, outcome, leaving, rest } = context;
    return JSON.stringify([
      value,
      status,
      rounds,
      message,
      outcome,
      leaving,
      Math.min(rest.failures, 6),
      rest.rejections,
      ghost,
    ]);
  },
  check: (edge) => {
    for (const invariant of INVARIANTS) {
      const problem = invariant(edge);
      if (problem !== null) return problem;
    }
    return null;
  },
};

const exploration = explore(world);

it(`a heartbeat breaks no rule on any of its ways: ${exploration.states} states, ${exploration.edges} steps`, () => {
  expect(exploration.violation).toBeNull();
  expect(exploration.states).toBeGreaterThan(500);
});

it('ends by itself when nothing goes wrong any more, and at once when it is cut off', () => {
  const done = (snapshot: Snapshot): boolean => snapshot.status === 'done';
  const healthy = (snapshot: Snapshot, ghost: Ghost): Move<Ghost> | null => {
    const moves = movesFrom(snapshot, ghost).filter(
      ({ label }) => !label.startsWith('work.') && !label.startsWith('backend.'),
    );
    return moves.find(({ label }) => label === 'the message arrives') ?? moves[0] ?? null;
  };
  const isLeft = (snapshot: Snapshot, ghost: Ghost): boolean =>
    done(snapshot) || (ghost.leaving && snapshot.matches('queueing'));
  expect(findStuck(world, exploration, { next: healthy, done: isLeft, limit: 60 })).toBeNull();
  const aborting = (_: Snapshot, ghost: Ghost): Move<Ghost> => ({
    label: 'work.abort',
    event: { type: 'work.abort' },
    ghost,
  });
  expect(findStuck(world, exploration, { next: aborting, done, limit: 2 })).toBeNull();
});

it('rests within its bounds, and leaves no timer behind', () => {
  for (const { snapshot } of exploration.reached.values()) {
    if (snapshot.status === 'done') expect(timersOf(snapshot)).toEqual([]);
    expect(snapshot.context.rest.inMs).toBeLessThanOrEqual(LIMITS.capMs);
  }
});

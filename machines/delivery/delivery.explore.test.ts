/** Every state that delivery can reach with a queue of four rows of three sessions, two slots and a moving gate. */
import { describe, expect, it } from 'vitest';
import { actorName, isLane } from '../shared/actor-name.ts';
import {
  callsOf,
  explore,
  findStuck,
  spawns,
  timersOf,
  type Move,
  type World,
} from '../../test/kits/explore.ts';
import type { NotificationRow } from '../shared/mission-control.ts';
import { REFUSED_BACKOFF } from '../shared/backoff.ts';
import { deliveryInput } from './input.test-kit.ts';
import { laneOf, laneWith } from './line.ts';
import { deliveryMachine } from './machine.ts';
import {
  AVAILABLE,
  gateOf,
  isAccepting,
  keyOf,
  LOST,
  movesOf,
  react,
  ROWS,
  TRIAL,
  type DeliveryEdge,
  type DeliverySnapshot,
  type Ghost,
  type Menu,
} from './world.test-kit.ts';

const SLOTS = 2;
const BACKEND = { baseMs: 5_000, capMs: 60_000 };
const INTERVAL_MS = 15_000;
const SAFETY_POLL_MS = 300_000;

const worldOf = (menu: Menu, ghost: Partial<Ghost> = {}): World<typeof deliveryMachine, Ghost> => ({
  machine: deliveryMachine,
  input: deliveryInput({
    gate: 'closed',
    settings: { backend: BACKEND, session: BACKEND, maxConcurrentSessions: SLOTS },
  }),
  ghosts: [
    {
      undelivered: ROWS.map(({ _id }) => _id),
      lanes: {},
      asked: 0,
      trialOn: null,
      late: [],
      twoTrials: false,
      crashes: 0,
      beats: 0,
      watched: null,
      coming: [],
      told: false,
      ...ghost,
    },
  ],
  moves: movesOf(menu),
  react,
  key: keyOf,
  check: (edge) => INVARIANTS.map((holds) => holds(edge)).find((problem) => problem !== null) ?? null,
});

/** Whether Convex has an older row of the session, other than one that was set aside. */
const hasOlder = (row: NotificationRow, { undelivered, late }: Ghost): boolean =>
  ROWS.some(
    (other) =>
      other.taskId === row.taskId &&
      other.createdAt < row.createdAt &&
      undelivered.includes(other._id) &&
      !late.includes(other._id),
  );

type Invariant = (edge: DeliveryEdge) => string | null;

const givesOutOnlyWhatMayRun: Invariant = ({ to, event, effects, before, after }) => {
  const given = effects.flatMap((effect) =>
    effect.kind === 'send' && effect.event.type === 'lane.go' ? [effect] : [],
  );
  const lanes = { ...before.lanes };
  // It has just told that it is free.
  if (event !== null && 'key' in event) Reflect.deleteProperty(lanes, String(event.key));
  for (const { to: key, event: told } of given) {
    if (gateOf(to) === 'closed' || !isAccepting(to))
      return 'a run while the gate is closed or delivery leaves';
    if (told.trial !== (gateOf(to) === 'trial')) return 'a trial that is none';
    if (lanes[key] === 'working' || lanes[key] === 'resting') return `${key} is given a second job`;
    lanes[key] = 'working';
    const [head] = laneOf(to.context.line, key)?.jobs ?? [];
    if (head === undefined || head !== told.job) return 'not the head of its line';
    if (head.kind === 'notification' && hasOlder(head.row, after)) return 'not the oldest of its session';
  }
  return null;
};

const keepsWithinItsSlots: Invariant = ({ to, effects, after }) => {
  if (!effects.some((effect) => effect.kind === 'send' && effect.event.type === 'lane.go')) return null;
  if (gateOf(to) === 'trial') return after.twoTrials ? 'two trials at once' : null;
  return to.context.line.counts.working <= SLOTS ? null : 'more lanes at work than slots';
};

/** A trial that is over without a verdict is followed by another, or the gate would stay as it is for ever. */
const alwaysHasATrialOut: Invariant = ({ to, after }) => {
  if (gateOf(to) !== 'trial' || !isAccepting(to) || to.context.line.counts.inLine === 0) return null;
  return after.trialOn === null ? 'nobody is on trial' : null;
};

const knowsItsLanes: Invariant = ({ to, effects, after }) => {
  const children = Object.values(to.children).flatMap((child) =>
    child && isLane(child) ? [actorName(child)] : [],
  );
  const alive = to.context.line.lanes.filter((lane) => lane.alive);
  if (to.status === 'done') {
    const left = children.filter(
      (id) => !effects.some((effect) => effect.kind === 'stop' && effect.id === id),
    );
    return left.length === 0 ? null : `leaves ${left.join()} behind`;
  }
  const known = alive.map(({ key }) => key);
  if ([...children].sort().join() !== known.join()) return `lanes ${children.join()}, line ${known.join()}`;
  for (const { key, phase } of alive) {
    const seen = { inLine: 'waiting', working: 'working', resting: 'resting', idle: 'waiting' }[phase];
    if (after.lanes[key] !== seen) return `${key} is ${String(after.lanes[key])} and taken for ${phase}`;
  }
  return null;
};

const stopsNobodyAtWork: Invariant = ({ from, effects, before, event }) => {
  const crashed = event?.type.replace('xstate.error.actor.', '') ?? '';
  const reporter =
    event !== null && 'key' in event ? event.key : from && laneWith(from.context.line, crashed)?.key;
  const cut = effects.find(
    (effect) =>
      effect.kind === 'stop' &&
      effect.id !== reporter &&
      (before.lanes[effect.id] === 'working' || before.lanes[effect.id] === 'resting'),
  );
  return cut === undefined ? null : 'stops a lane that has a job in hand';
};

const asksOnlyWhenItMayRun: Invariant = ({ to, effects }) =>
  spawns(effects, 'listUndelivered').length > 0 && (gateOf(to) === 'closed' || !isAccepting(to))
    ? 'asks for work that it may not do'
    : null;

const CAPS = new Map([
  ['waiting', INTERVAL_MS],
  ['backingOff', BACKEND.capMs],
  ['refused', REFUSED_BACKOFF.capMs],
]);

const waitsWithinBounds: Invariant = ({ to, effects }) => {
  const timer = effects.find(
    (effect) => effect.kind === 'raise' && effect.event.type.includes('.after.poll'),
  );
  if (timer?.kind !== 'raise') return null;
  const state = timer.event.type.split('.').at(-1) ?? '';
  const cap = state === 'waiting' && to.context.watched ? SAFETY_POLL_MS : (CAPS.get(state) ?? 0);
  const { delayMs } = timer;
  const isSound =
    Number.isInteger(delayMs) && delayMs >= 1 && delayMs <= cap && delayMs === to.context.poll.inMs;
  return isSound ? null : `waits ${delayMs} ms`;
};

/** What was told is looked for at once where there is room, and not forgotten where there is none. */
const looksForWhatIsTold: Invariant = ({ to, after }) => {
  if (!after.told || typeof to.value === 'string' || to.value.active.poll !== 'waiting') return null;
  if (to.context.poll.more === 'no') return 'forgets that something came';
  const busy = to.context.line.counts.working + to.context.line.counts.inLine;
  const mayLook =
    gateOf(to) !== 'closed' && isAccepting(to) && to.context.poll.more === 'yes' && busy < SLOTS;
  return mayLook ? 'waits although something came' : null;
};

const INVARIANTS = [
  looksForWhatIsTold,
  givesOutOnlyWhatMayRun,
  keepsWithinItsSlots,
  alwaysHasATrialOut,
  knowsItsLanes,
  stopsNobodyAtWork,
  asksOnlyWhenItMayRun,
  waitsWithinBounds,
];

const WELL: Menu = { outcomes: ['delivered'], gate: [], leaves: false, listFails: false };

/** The gateway is there, calls succeed, lanes deliver. */
function healthy(snapshot: DeliverySnapshot, ghost: Ghost): Move<Ghost> | null {
  if (gateOf(snapshot) !== 'open') return { label: AVAILABLE.type, event: AVAILABLE, ghost };
  const moves = movesOf(WELL)(snapshot, { ...ghost, crashes: 0, beats: 0, watched: null });
  return (
    moves.find(({ label }) => !label.startsWith('poll') && !label.startsWith('lane.resting')) ??
    moves[0] ??
    null
  );
}

/** Told to leave: what is out comes back. */
function leaving(outcome: 'delivered' | 'released') {
  return (snapshot: DeliverySnapshot, ghost: Ghost): Move<Ghost> | null => {
    if (isAccepting(snapshot)) return { label: 'delivery.drain', event: { type: 'delivery.drain' }, ghost };
    const settles = movesOf({ ...WELL, outcomes: [outcome] })(snapshot, {
      ...ghost,
      crashes: 0,
      beats: 0,
      watched: null,
    });
    return settles.find(({ label }) => label.startsWith('lane.settled')) ?? null;
  };
}

const GATE = [AVAILABLE, TRIAL, LOST];

const WALKS: [string, Menu, Partial<Ghost>, states: number][] = [
  [
    'a moving gate and lanes that deliver or hand back',
    { outcomes: ['delivered', 'released'], gate: GATE, leaves: false, listFails: false },
    { undelivered: ['a1', 'b1', 'a2'] },
    800,
  ],
  [
    'more sessions than slots, and an end at every moment',
    { outcomes: ['delivered'], gate: [AVAILABLE, LOST], leaves: true, listFails: false },
    {},
    1_800,
  ],
  [
    'a list that fails, lanes that leave a row, and one that crashes',
    { outcomes: ['delivered', 'left'], gate: GATE, leaves: false, listFails: true },
    { undelivered: ['a1', 'a2'], crashes: 1 },
    1_600,
  ],
  [
    'heartbeats among the rows, and an end at every moment',
    { outcomes: ['delivered', 'released'], gate: GATE, leaves: true, listFails: false },
    { undelivered: ['a1'], beats: 2 },
    1_100,
  ],
  [
    'a subscription that comes and goes, and rows that come told and untold',
    { outcomes: ['delivered'], gate: [AVAILABLE, LOST], leaves: false, listFails: true },
    { undelivered: ['a1'], watched: false, coming: ['b1'] },
    900,
  ],
];

for (const [name, menu, ghost, atLeast] of WALKS) {
  const world = worldOf(menu, ghost);
  const exploration = explore(world);
  describe(`delivery with ${name}: ${exploration.states} states, ${exploration.edges} steps`, () => {
    it('breaks no rule on any of its ways', () => {
      expect(exploration.violation).toBeNull();
      expect(exploration.states).toBeGreaterThanOrEqual(atLeast);
    });

    it('delivers everything once the world is well again', () => {
      const done = (snapshot: DeliverySnapshot, { undelivered }: Ghost) =>
        !isAccepting(snapshot) ||
        (undelivered.length === 0 &&
          snapshot.context.line.lanes.length === snapshot.context.line.counts.idle);
      expect(findStuck(world, exploration, { next: healthy, done, limit: 60 })).toBeNull();
    });

    it('is drained as soon as its lanes have settled', () => {
      const done = ({ status }: DeliverySnapshot) => status === 'done';
      for (const outcome of ['delivered', 'released'] as const) {
        expect(findStuck(world, exploration, { next: leaving(outcome), done, limit: 6 })).toBeNull();
      }
    });

    it('always waits for something: a timer, an answer, a lane or the gate', () => {
      for (const { snapshot } of exploration.reached.values()) {
        if (!isAccepting(snapshot) || gateOf(snapshot) === 'closed') continue;
        expect(callsOf(snapshot).length + timersOf(snapshot).length).toBeGreaterThan(0);
      }
    });
  });
}

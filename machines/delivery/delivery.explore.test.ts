/** Every state that delivery can reach with a queue of four rows of three sessions, two slots and a moving gate. */
import { describe, expect, it } from 'vitest';
import {
  AVAILABLE,
  FRESH,
  gateOf,
  isAccepting,
  keyOf,
  LOST,
  movesOf,
  react,
  ROWS,
  sessionIn,
  TOKENS_A_DAY,
  TRIAL,
  type DeliveryEdge,
  type DeliverySnapshot,
  type Ghost,
  type Menu,
} from '../../test/kits/delivery-world.ts';
import { deliveryInput } from '../../test/kits/delivery-input.ts';
import {
  callsOf,
  explore,
  findStuck,
  sends,
  spawns,
  timersOf,
  type Move,
  type World,
} from '../../test/kits/explore.ts';
import { actorName, isSessionActor } from '../shared/actor-name.ts';
import { REFUSED_BACKOFF } from '../shared/backoff.ts';
import type { NotificationRow } from '../shared/mission-control.ts';
import { deliveryMachine } from './machine.ts';
import { agentIn } from '../shared/child-messages.ts';
import { sessionOf } from './queue.ts';

const SLOTS = 2;
const BACKEND = { baseMs: 5_000, capMs: 60_000 };
const INTERVAL_MS = 15_000;
const SAFETY_POLL_MS = 300_000;

const worldOf = (menu: Menu, ghost: Partial<Ghost> = {}): World<typeof deliveryMachine, Ghost> => ({
  machine: deliveryMachine,
  input: deliveryInput({
    gate: 'closed',
    settings: {
      backend: BACKEND,
      runs: BACKEND,
      maxConcurrentSessions: SLOTS,
      tokenLimits: { all: TOKENS_A_DAY, bySlug: {} },
    },
  }),
  ghosts: [{ ...FRESH, ...ghost }],
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

const grantsOnlyWhatMayRun: Invariant = ({ to, effects }) => {
  for (const { to: name, event } of sends(effects, 'slot.granted')) {
    if (gateOf(to) === 'closed' || !isAccepting(to))
      return 'a run while the gate is closed or delivery leaves';
    if (event.trial !== (gateOf(to) === 'trial')) return 'a trial that is none';
    if (sessionOf(to.context.queue, sessionIn(name))?.phase !== 'running') return `${name} was not ready`;
  }
  return null;
};

const startsTheOldestOfASession: Invariant = ({ effects, after }) => {
  for (const { input } of spawns(effects, 'notification')) {
    const { row } = input as { row: NotificationRow };
    if (hasOlder(row, after)) return `${row._id} is not the oldest of its session`;
  }
  return null;
};

const keepsWithinItsSlots: Invariant = ({ to, effects, after }) => {
  if (sends(effects, 'slot.granted').length === 0) return null;
  if (gateOf(to) === 'trial') return after.twoTrials ? 'two trials at once' : null;
  return to.context.queue.counts.running <= SLOTS ? null : 'more runs than slots';
};

/** A trial that is over without a verdict is followed by another, or the gate would stay as it is for ever. */
const alwaysHasATrialOut: Invariant = ({ to, after }) => {
  const { ready, preparing } = to.context.queue.counts;
  const mayTry = to.context.queue.ready.some(({ agentId }) => to.context.outOfTokens[agentId] === undefined);
  const isDue = gateOf(to) === 'trial' && isAccepting(to) && ready > 0 && preparing === 0 && mayTry;
  return isDue && after.trialOn === null ? 'nobody is on trial' : null;
};

/** An agent that has used up its tokens runs nothing, and its threads are told. */
const restsWhoHasNoTokens: Invariant = ({ to, effects }) => {
  for (const { to: name } of sends(effects, 'slot.granted')) {
    if (to.context.outOfTokens[agentIn(sessionIn(name))] !== undefined) return `${name} runs without tokens`;
  }
  return null;
};

const tellsEachThreadOnce: Invariant = ({ from, effects, event }) => {
  for (const { id } of spawns(effects, 'tellRest')) {
    // The note was not due, or failed, so that the thread was not told.
    const output = event !== null && 'output' in event ? (event.output as { result: string }) : null;
    if (output !== null && output.result !== 'told') continue;
    const isTold = Object.values(from?.context.outOfTokens ?? {}).some(({ told }) =>
      told.includes(id.replace('rest:', '')),
    );
    if (isTold) return `tells ${id} twice`;
  }
  return null;
};

/** An agent in trouble waits for its own run alone; nobody else waits for it. */
const leavesNoSlotIdle: Invariant = ({ to }) => {
  const { queue, troubles, outOfTokens, passedBy } = to.context;
  const ready = queue.ready.filter(({ agentId }) => outOfTokens[agentId] === undefined);
  if (gateOf(to) !== 'open' || !isAccepting(to) || queue.counts.running >= SLOTS) return null;
  if (goesAlone(to)) return null;
  const running = queue.sessions.filter(({ phase }) => phase === 'running');
  const isOpenToAll = !ready.some(({ alone }) => alone);
  const idle = ready.filter(
    ({ agentId, alone }) =>
      (alone ? running.length === 0 : isOpenToAll || passedBy < 3 * SLOTS) &&
      (troubles[`agent:${agentId}`] !== 'found' || !running.some((other) => other.agentId === agentId)),
  );
  return idle.length > 0 ? `${idle[0]?.key ?? ''} is ready and a slot is free` : null;
};

const goesAlone = ({ value }: DeliverySnapshot): boolean =>
  typeof value !== 'string' && typeof value.active.gate !== 'string' && value.active.gate.open !== 'shared';

const keepsTroubleToItsAgent: Invariant = ({ to, effects }) => {
  const { queue, troubles } = to.context;
  for (const { to: name } of sends(effects, 'slot.granted')) {
    const agentId = sessionOf(queue, sessionIn(name))?.agentId;
    const open = queue.sessions.filter((one) => one.agentId === agentId && one.phase === 'running');
    if (gateOf(to) === 'open' && troubles[`agent:${String(agentId)}`] === 'found' && open.length > 1)
      return 'two runs of an agent in trouble';
  }
  return null;
};

/** A trial that failed tells of its agent: the next one is of another agent, where one is ready. */
const triesAnotherAgentNext: Invariant = ({ from, to, effects }) => {
  const trial = sends(effects, 'slot.granted').find(({ event }) => event.trial === true);
  const last = from?.context.trials.tried.at(-1);
  if (trial === undefined || last === undefined || gateOf(from ?? to) !== 'trial') return null;
  const agentId = agentIn(sessionIn(trial.to));
  if (agentIn(last) !== agentId) return null;
  const { queue, outOfTokens } = to.context;
  const held = queue.ready.find((one) => one.agentId !== agentId && outOfTokens[one.agentId] === undefined);
  return held === undefined ? null : `${held.key} waits for a second trial of ${agentId}`;
};

/** The sessions of an agent in trouble take the place of one run, and no more, from those of other agents. */
const startsWhoIsWell: Invariant = ({ to }) => {
  const { queue, troubles, outOfTokens } = to.context;
  if (gateOf(to) !== 'open' || !isAccepting(to)) return null;
  const mayHave = (agentId: string): number =>
    outOfTokens[agentId] !== undefined ? 0 : troubles[`agent:${agentId}`] === 'found' ? 1 : SLOTS;
  const wanted = queue.sessions.filter(({ phase }) => ['preparing', 'ready', 'running'].includes(phase));
  const agents = [...new Set(wanted.map(({ agentId }) => agentId))];
  const taken = agents.reduce(
    (sum, agentId) =>
      sum + Math.min(mayHave(agentId), wanted.filter((one) => one.agentId === agentId).length),
    0,
  );
  const held = queue.waiting.find(({ agentId }) => mayHave(agentId) === SLOTS);
  return taken < SLOTS && held !== undefined ? `${held.key} is not begun because of another agent` : null;
};

/** Where it has waited long enough for such a moment, it goes all the same. */
const letsItRunAlone: Invariant = ({ to, effects, after, event }) => {
  if (event?.type.includes('aloneLimit') === true) return null;
  const granted = sends(effects, 'slot.granted').map(({ to: name }) => sessionIn(name));
  if (gateOf(to) !== 'open' || !granted.some((key) => after.alone.includes(key))) return null;
  return to.context.queue.counts.running > 1 ? 'a run that is to go alone has company' : null;
};

const knowsItsChildren: Invariant = ({ to, effects, after }) => {
  const children = Object.values(to.children).flatMap((child) =>
    child && isSessionActor(child) ? [sessionIn(actorName(child))] : [],
  );
  const stopped = effects.flatMap((effect) => (effect.kind === 'stop' ? [sessionIn(effect.id)] : []));
  if (to.status === 'done') {
    const left = children.filter((key) => !stopped.includes(key));
    return left.length === 0 ? null : `leaves ${left.join()} behind`;
  }
  const alive = to.context.queue.sessions.filter(({ actorId }) => actorId !== null);
  const known = alive.map(({ key }) => key);
  if ([...children].sort().join() !== known.join())
    return `children ${children.join()}, queue ${known.join()}`;
  for (const { key, phase } of alive) {
    if (after.children[key] !== phase)
      return `${key} is ${String(after.children[key])} and taken for ${phase}`;
  }
  return null;
};

const asksOnlyWhileItTakesWork: Invariant = ({ to, effects }) =>
  spawns(effects, 'listUndelivered').length > 0 && !isAccepting(to)
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
  const { running, ready, preparing, waiting } = to.context.queue.counts;
  const isFull = running + ready + preparing + waiting >= SLOTS;
  return isAccepting(to) && to.context.poll.more === 'yes' && !isFull
    ? 'waits although something came'
    : null;
};

const INVARIANTS = [
  grantsOnlyWhatMayRun,
  startsTheOldestOfASession,
  keepsWithinItsSlots,
  alwaysHasATrialOut,
  leavesNoSlotIdle,
  keepsTroubleToItsAgent,
  triesAnotherAgentNext,
  startsWhoIsWell,
  letsItRunAlone,
  restsWhoHasNoTokens,
  tellsEachThreadOnce,
  knowsItsChildren,
  asksOnlyWhileItTakesWork,
  waitsWithinBounds,
  looksForWhatIsTold,
];

const WELL: Menu = { outcomes: ['delivered'], gate: [], leaves: false, listFails: false, rests: false };

const QUIET = { failures: 0, crashes: 0, beats: 0, watched: null };

/** The gateway is there, calls succeed, notifications are delivered. */
function healthy(snapshot: DeliverySnapshot, ghost: Ghost): Move<Ghost> | null {
  if (gateOf(snapshot) !== 'open') return { label: AVAILABLE.type, event: AVAILABLE, ghost };
  const moves = movesOf(WELL)(snapshot, { ...ghost, ...QUIET });
  const isGood = (label: string): boolean => !/^poll|handedBack/.test(label);
  return moves.find(({ label }) => isGood(label)) ?? moves[0] ?? null;
}

/** Told to leave: what is out comes back. */
const leaving =
  (outcome: 'delivered' | 'handedBack') =>
  (snapshot: DeliverySnapshot, ghost: Ghost): Move<Ghost> | null => {
    if (isAccepting(snapshot)) return { label: 'delivery.drain', event: { type: 'delivery.drain' }, ghost };
    const ends = movesOf({ ...WELL, outcomes: [outcome] })(snapshot, { ...ghost, ...QUIET }).filter(
      ({ label }) => / (?:delivered|handedBack|beaten|released)$/.test(label) || label.startsWith('slot.'),
    );
    return ends.find(({ label }) => !label.startsWith('slot.wanted')) ?? ends[0] ?? null;
  };

const GATE = [AVAILABLE, TRIAL, LOST];

const WALKS: [name: string, menu: Menu, ghost: Partial<Ghost>, atLeast: number][] = [
  [
    'a moving gate and rows that are delivered or handed back',
    { ...WELL, outcomes: ['delivered', 'handedBack'], gate: GATE },
    { undelivered: ['a1', 'a2', 'c1'] },
    500,
  ],
  [
    'more sessions than slots, and an end at every moment',
    { ...WELL, gate: [AVAILABLE, LOST], leaves: true },
    {},
    1_000,
  ],
  [
    'a list that fails, rows that are gone, and a child that crashes',
    { ...WELL, outcomes: ['delivered', 'gone'], gate: GATE, listFails: true },
    { undelivered: ['a1', 'a2'], crashes: 1 },
    800,
  ],
  [
    'rests, heartbeats among the rows, and an end at every moment',
    { ...WELL, gate: GATE, leaves: true, rests: true },
    { undelivered: ['a1'], beats: 2 },
    800,
  ],
  [
    'runs that fail, agents and notifications in trouble of their own',
    { ...WELL, gate: [AVAILABLE, LOST] },
    { undelivered: ['a1', 'b1', 'c1'], failures: 1 },
    800,
  ],
  [
    'one agent in trouble with two sessions, and another one that is well',
    { ...WELL, gate: [AVAILABLE, TRIAL] },
    { undelivered: ['a1', 'b1', 'c1'], failures: 1 },
    800,
  ],
  [
    'agents that use up their tokens of the day',
    { ...WELL, gate: [AVAILABLE, LOST], rests: true },
    { undelivered: ['a1', 'b1'], spends: 1 },
    800,
  ],
  [
    'an agent without tokens whose sessions are older than that of one that is well',
    { ...WELL, gate: [AVAILABLE] },
    { undelivered: ['a1', 'b1', 'a2', 'c1'], spends: 1 },
    800,
  ],
  [
    'a run that is to go alone',
    { ...WELL, gate: [AVAILABLE, LOST], rests: true },
    { undelivered: ['a1', 'b1'], alone: ['agent-e/a'] },
    800,
  ],
  [
    'a subscription that comes and goes, and rows that come told and untold',
    { ...WELL, gate: [AVAILABLE, LOST], listFails: true },
    { undelivered: ['a1'], watched: false, coming: ['b1'] },
    800,
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
          snapshot.context.queue.sessions.length === snapshot.context.queue.counts.empty);
      expect(findStuck(world, exploration, { next: healthy, done, limit: 60 })).toBeNull();
    });

    it('is drained as soon as its children have ended', () => {
      const done = ({ status }: DeliverySnapshot) => status === 'done';
      for (const outcome of ['delivered', 'handedBack'] as const) {
        expect(findStuck(world, exploration, { next: leaving(outcome), done, limit: 12 })).toBeNull();
      }
    });

    it('always waits for something: a timer, an answer, a child or the gate', () => {
      for (const { snapshot } of exploration.reached.values()) {
        if (!isAccepting(snapshot)) continue;
        expect(callsOf(snapshot).length + timersOf(snapshot).length).toBeGreaterThan(0);
      }
    });
  });
}

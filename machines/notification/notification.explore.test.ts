/** Every state that a notification can reach with one row, its entry on the disk, a thread and an agent around it. */
import { describe, expect, it } from 'vitest';
import type { EventObject } from 'xstate';
import {
  callDone,
  callsOf,
  explore,
  findStuck,
  sends,
  spawns,
  timersOf,
  type Move,
  type World,
} from '../../test/kits/explore.ts';
import {
  again,
  callOf,
  CALM,
  freshGhost,
  inputOf,
  isListed,
  isOwing,
  isRest,
  isSkipped,
  keyOf,
  LIMITS,
  movesOf,
  react,
  REPLIES,
  type Ghost,
  type Menu,
  type NotificationEdge,
  type RowKind,
  type Snapshot,
} from '../../test/kits/notification-world.ts';
import type { Message, WriteAhead } from './actors.ts';
import { notificationMachine } from './machine.ts';
import { isAttempt, isGatewayTrouble, type Fault } from '../shared/fault.ts';
import { MAX_ATTEMPTS, spareMs } from './failures.ts';
import { CUTS_IN_COMPANY } from './parts.ts';
import { MAX_CUTS } from './giving-up.ts';
import { MAX_SILENT_ATTEMPTS } from './setup.ts';

type Invariant = (edge: NotificationEdge) => string | null;

const runsOnlyInItsSlot: Invariant = ({ effects, before, to, event }) => {
  if (spawns(effects, 'runAgent').length === 0) return null;
  if (before.slot !== 'granted' && event?.type !== 'slot.granted') return 'runs without a slot';
  // What is under way is finished, with all its rounds.
  const goesOn = to.context.entry.rounds.count > 0 && event?.type !== 'slot.granted';
  if (to.context.permission === 'leaving' && before.leaving && !goesOn) return 'runs although it leaves';
  return before.aborted ? 'runs although it was cut off' : null;
};

const holdsNoSlotWhileItRests: Invariant = ({ to, after }) =>
  after.slot === 'granted' && (isResting(to) || to.matches('answering') || to.status === 'done')
    ? 'keeps its slot'
    : null;

const isResting = (snapshot: Snapshot): boolean => JSON.stringify(snapshot.value).includes('resting');

/** Whoever was told of a silent round is told when it is over, however it ends. */
const takesBackEveryStall: Invariant = ({ from, to, effects, event }) => {
  // A process that dies tells nothing.
  if (event === null) return null;
  const isSilent = (snapshot: Snapshot | null): boolean =>
    snapshot?.matches({ working: { running: 'silent' } }) === true;
  const [told, back] = [sends(effects, 'run.stalled').length, sends(effects, 'run.heard').length];
  const isSame = isSilent(from) === isSilent(to);
  if (isSame) return told === back ? null : 'tells of a silence that does not begin or end';
  return isSilent(to)
    ? told === 1
      ? null
      : 'is silent untold'
    : back === 1
      ? null
      : 'leaves a silence standing';
};

const countsBeforeItRuns: Invariant = ({ effects, before }) => {
  const [run] = spawns(effects, 'runAgent');
  if (run === undefined) return null;
  const { attempts, runs } = (run.input as WriteAhead).entry;
  if (attempts > MAX_ATTEMPTS) return `makes attempt ${attempts}`;
  return runs > 0 && attempts > 0 ? null : `does not count the run after ${JSON.stringify(before.disk)}`;
};

/** A paid reply is never thrown away, and never paid for twice. */
const neverRunsForAKeptReply: Invariant = ({ effects, before, to }) => {
  const kept = before.disk?.reply ?? null;
  if (spawns(effects, 'runAgent').length === 0 || kept === null || kept.text === REPLIES.none) return null;
  const { createdAt } = kept.version;
  const isNewer = to.context.version !== null && to.context.version.createdAt !== createdAt;
  const isSafe =
    kept.text === REPLIES.silent ||
    before.thread.some(({ version }) => version === createdAt) ||
    before.letters.includes(createdAt);
  return isNewer && isSafe ? null : `runs for ${kept.text} again`;
};

/** A reply that is there when it ends is in the thread, on the disk for the next process, or a dead letter. */
const losesNoReply: Invariant = ({ to, after }) => {
  const { reply, version, delivery } = to.context;
  if (to.status !== 'done' || reply?.text !== REPLIES.text || version === null) return null;
  const hasNoThread = delivery?.notification.taskId === undefined;
  const isSafe =
    after.thread.some((one) => one.version === version.createdAt && one.isReply) ||
    after.letters.includes(version.createdAt) ||
    after.disk?.reply?.text === REPLIES.text;
  return isSafe || hasNoThread ? null : 'loses a reply';
};

/** The trouble of a function, of Convex, of the gateway or of the disk is no attempt of the row that meets it. */
const countsNothingForSharedTrouble: Invariant = ({ from, to, event }) => {
  if (from === null || event?.type.startsWith('xstate.error') !== true) return null;
  const { kind } = (event as EventObject & { error: Fault }).error;
  const isConvex = from.context.backend.troubled.length > 0 || kind === 'backendUnavailable';
  if (isConvex && to.context.rest.rowFailures > from.context.rest.rowFailures)
    return 'counts shared trouble as its own';
  // The attempt was counted before the run: it is given back.
  const isRun = from.matches({ working: 'running' });
  const isGateways =
    (from.context.trial && isAttempt(kind)) || isGatewayTrouble(kind) || kind === 'journalUnavailable';
  return isRun && isGateways && to.context.entry.attempts >= from.context.entry.attempts
    ? `counts ${kind} as an attempt`
    : null;
};

/** As long as a reply is kept, a call with it is open, or a wait for one. */
const goesOnWithAKeptReply: Invariant = ({ to }) => {
  const isKept = to.context.entry.reply !== null && to.context.entry.reply.text !== REPLIES.none;
  if (!isKept || to.status !== 'active') return null;
  return callsOf(to).length + timersOf(to).length > 0
    ? null
    : `rests in ${JSON.stringify(to.value)} with a reply and no next step`;
};

const postsEachVersionOnce: Invariant = ({ after }) => {
  const versions = after.thread.map(({ version }) => version);
  return new Set(versions).size === versions.length ? null : `posted twice: ${versions.join(', ')}`;
};

const postsWhatItHas: Invariant = ({ effects, to }) => {
  const posts = [...spawns(effects, 'postMessage'), ...spawns(effects, 'postAgain')];
  for (const { input } of posts) {
    const { quiet, content } = input as Message;
    if (!quiet && content !== REPLIES.text) return `posts ${content}`;
    if (!quiet && to.context.entry.reply === null) return 'posts a reply that the entry does not have';
  }
  return null;
};

const marksWhatIsDone: Invariant = ({ effects, before, after, to }) => {
  const isMark = spawns(effects, 'markDelivered').length + spawns(effects, 'completeDelivery').length > 0;
  if (!isMark || before.row === 'gone') return null;
  const { outcome, note } = to.context.result;
  if (outcome === 'already') return before.row === 'delivered' ? null : 'takes it for delivered';
  if (outcome === 'skipped' || outcome === 'silent') return null;
  const version = to.context.version?.createdAt ?? to.context.row.createdAt;
  const isAnswered = after.thread.some((one) => one.version === version);
  const completes = spawns(effects, 'completeDelivery').length > 0;
  return isAnswered || completes || note !== null ? null : `marks ${outcome} without a message`;
};

const endsTruly: Invariant = ({ to, after }) => {
  if (to.status !== 'done') return null;
  const { outcome } = to.output;
  if (outcome === 'handedBack') {
    return isListed(after) || after.row === 'delivered' ? null : 'hands back what nobody will list';
  }
  if (outcome === 'stuck') return null;
  if (outcome === 'gone') return after.row === 'gone' ? null : 'takes it for gone';
  if (after.row === 'undelivered') return `ended ${outcome} and is not marked`;
  return isOwing(after) ? `ended ${outcome} and owes a message` : null;
};

const restsWithinBounds: Invariant = ({ effects, to }) => {
  if (!isRest(effects)) return null;
  const { inMs } = to.context.rest;
  return inMs >= 1 && inMs <= Math.max(LIMITS.capMs, spareMs(to.context)) ? null : `rests for ${inMs} ms`;
};

const knowsWhatTheDiskKnows: Invariant = ({ to, after }) => {
  const kept = after.disk?.reply ?? null;
  const isSame = kept?.version.createdAt === to.context.version?.createdAt;
  const isBehind = isSame && to.matches('queueing') && to.context.entry.reply === null;
  return isBehind && kept?.text === REPLIES.text ? 'forgot a reply that the disk has' : null;
};

const callsOnlyInItsRun: Invariant = ({ effects, before, event }) => {
  for (const { input } of spawns(effects, 'makeCall')) {
    const { next, entry } = callOf(input);
    if (before.slot !== 'granted' && event?.type !== 'slot.granted') return 'calls without a slot';
    if (next === null || next.answer !== null) return 'makes a call again that is answered';
    if (entry.rounds.calls[next.index]?.begun !== true) return 'makes a call that the disk does not know';
    if (
      before.disk?.rounds.calls[next.index]?.answer != null &&
      before.disk.rounds.count === entry.rounds.count
    ) {
      return 'makes a call whose answer is on the disk';
    }
  }
  return null;
};

/** What an earlier try of a call may have done is looked for, and never done blindly again. */
const knowsWhatWasBegun: Invariant = ({ effects, before }) => {
  for (const { input } of spawns(effects, 'makeCall')) {
    const { next, entry } = callOf(input);
    const known = before.disk?.rounds.count === entry.rounds.count ? before.disk.rounds : null;
    const isBegun = next !== null && known?.calls[next.index]?.begun === true;
    if (isBegun && !next.begun) return 'makes a call that the disk has as begun as if it were new';
  }
  return null;
};

const goesOnForItsOwnVersion: Invariant = ({ effects, to }) => {
  for (const { input } of [...spawns(effects, 'runAgent'), ...spawns(effects, 'makeCall')]) {
    const { rounds, roundsFor } = callOf(input).entry;
    const isOwn = roundsFor !== null && roundsFor.createdAt === to.context.version?.createdAt;
    if (rounds.count > 0 && !isOwn) return `goes on with the rounds of ${roundsFor?.createdAt}`;
  }
  return null;
};

/** A run that is cut off by our leaving takes back what it counted itself, and nothing else. */
const takesBackOnlyItsOwn: Invariant = ({ from, to, event }) => {
  if (event?.type !== 'work.abort' || from === null) return null;
  const wasOpen = from.matches({ working: 'running' }) || from.matches({ working: 'acting' });
  const lost = from.context.entry.attempts - to.context.entry.attempts;
  return lost > (wasOpen ? 1 : 0) ? `takes back ${lost} attempts` : null;
};

const saysNothingWhereNoneIsDue: Invariant = ({ effects, before }) => {
  const noted = [...spawns(effects, 'postMessage'), ...spawns(effects, 'postAgain')].some(
    ({ input }) => (input as Message).quiet,
  );
  return noted && isSkipped(before) ? 'leaves a note for a skipped row' : null;
};

const runsInItsPlace: Invariant = ({ effects, to }) => {
  const { entry, version, row } = to.context;
  const hasMoved = version !== null && version.createdAt !== row.createdAt;
  return spawns(effects, 'runAgent').length > 0 && entry.posts === 0 && hasMoved
    ? 'runs before rows that are older than its newer message'
    : null;
};

const holdsChatter: Invariant = ({ effects, before, to }) =>
  spawns(effects, 'runAgent').length > 0 && before.kind === 'chatter' && to.context.version?.createdAt === 1
    ? 'runs for chatter'
    : null;

/** A second run of a gateway that died twice goes alone, and a sixth never goes. */
const goesAloneInTheEnd: Invariant = ({ effects, to }) => {
  const { cuts } = to.context.entry;
  if (spawns(effects, 'runAgent').length > 0 && cuts >= MAX_CUTS)
    return `runs after ${cuts} deaths of the gateway`;
  const asked = sends(effects, 'slot.wanted');
  return asked.some(({ event }) => event.alone !== cuts >= CUTS_IN_COMPANY)
    ? 'does not say that it goes alone'
    : null;
};

const INVARIANTS = [
  holdsChatter,
  goesAloneInTheEnd,
  runsInItsPlace,
  runsOnlyInItsSlot,
  holdsNoSlotWhileItRests,
  countsBeforeItRuns,
  takesBackEveryStall,
  neverRunsForAKeptReply,
  losesNoReply,
  countsNothingForSharedTrouble,
  goesOnWithAKeptReply,
  postsEachVersionOnce,
  postsWhatItHas,
  marksWhatIsDone,
  endsTruly,
  restsWithinBounds,
  knowsWhatTheDiskKnows,
  callsOnlyInItsRun,
  knowsWhatWasBegun,
  goesOnForItsOwnVersion,
  takesBackOnlyItsOwn,
  saysNothingWhereNoneIsDue,
];

const check: Invariant = (edge) => {
  for (const invariant of INVARIANTS) {
    const problem = invariant(edge);
    if (problem !== null) return problem;
  }
  return null;
};

const worldOf = (menu: Menu, ghosts: Ghost[]): World<typeof notificationMachine, Ghost> => ({
  machine: notificationMachine,
  input: inputOf(freshGhost('due')),
  inputFor: inputOf,
  ghosts,
  moves: movesOf(menu),
  react,
  key: keyOf,
  check,
});

/** Everything works from here on. */
function healthy(snapshot: Snapshot, ghost: Ghost): Move<Ghost> | null {
  const quiet = { ...ghost, moves: 0, deaths: 0 };
  if (snapshot.status !== 'active') return isListed(quiet) ? again('the list shows it again', quiet) : null;
  const moves = movesOf(CALM)(snapshot, quiet);
  return moves.find(({ label }) => label !== 'time' && label !== 'row.stirred') ?? moves[0] ?? null;
}

const leave = (ghost: Ghost): Move<Ghost> => ({
  label: 'work.leave',
  event: { type: 'work.leave' },
  ghost: { ...ghost, leaving: true },
});

/** It is told to leave. The calls that are open end, with or without success. */
const leaving =
  (fails: boolean) =>
  (snapshot: Snapshot, ghost: Ghost): Move<Ghost> | null => {
    if (!ghost.leaving) return leave(ghost);
    if (snapshot.context.backend.troubled.length > 0) {
      return {
        label: 'well again',
        event: { type: 'functions.troubled', names: [], away: [] } as EventObject,
        ghost,
      };
    }
    const menu: Menu = fails
      ? { ...CALM, replies: [], runs: ['runFailed'], steps: ['backendRejected'] }
      : CALM;
    const moves = movesOf(menu)(snapshot, { ...ghost, moves: 0, deaths: 0 }).filter(
      ({ event, label }) => event?.type.startsWith('xstate.') === true || label === 'the message arrives',
    );
    const arrival = moves.find(({ label }) => label === 'the message arrives');
    return arrival ?? (fails ? moves.at(-1) : moves[0]) ?? null;
  };

const aborting = (snapshot: Snapshot, ghost: Ghost): Move<Ghost> | null => {
  if (!ghost.leaving) return leave(ghost);
  if (!ghost.aborted)
    return { label: 'work.abort', event: { type: 'work.abort' }, ghost: { ...ghost, aborted: true } };
  const [handBack] = callsOf(snapshot);
  return handBack === undefined
    ? null
    : { label: 'handed back', event: callDone(handBack.id, undefined), ghost };
};

const hasEnded = (snapshot: Snapshot): boolean => snapshot.status === 'done';

const each = (kinds: RowKind[], allowed: Partial<Ghost> = {}) =>
  kinds.map((kind) => freshGhost(kind, allowed));

const WALKS: [name: string, menu: Menu, ghosts: Ghost[], atLeast: number][] = [
  [
    'runs that fail in every way, shared trouble, a process that dies',
    {
      ...CALM,
      runs: ['runFailed', 'gatewayUnavailable', 'agentUnknown', 'requestRejected', 'journalUnavailable'],
      trials: [false, true],
      excuses: true,
    },
    each(['due', 'mention', 'noTask'], { deaths: 1 }),
    500,
  ],
  [
    'replies of every kind, a row that moves, a process that dies',
    { ...CALM, replies: ['text', 'silent', 'none'] },
    each(['due', 'optional', 'noTask'], { moves: 1, deaths: 1 }),
    500,
  ],
  [
    'a message that comes right before the mark of a skipped row, Convex away, a death',
    { ...CALM, steps: ['backendUnavailable'] },
    [
      ...each(['stale'], { moves: 2, deaths: 1 }),
      ...each(['stale'], { completes: true, moves: 1, deaths: 1 }),
    ],
    200,
  ],
  [
    'Convex away and failing at every step, leaving at every moment',
    { ...CALM, steps: ['backendUnavailable', 'backendRejected'], leaves: true },
    each(['due', 'optional', 'noTask', 'skipped']),
    500,
  ],
  [
    'functions that fail for different rows alike, and then do not',
    { ...CALM, steps: ['backendRejected'], troubles: true },
    each(['due', 'mention']),
    100,
  ],
  [
    'calls of tools, Convex away, answers that get lost, leaving, a process that dies',
    { ...CALM, replies: ['text', 'calls'], losesAnswers: true, leaves: true },
    each(['mention'], { deaths: 1 }),
    500,
  ],
  [
    'calls of tools while the row moves, runs that fail, leaving',
    { ...CALM, replies: ['text', 'calls'], runs: ['runFailed'], leaves: true },
    each(['due'], { moves: 1 }),
    500,
  ],
  [
    'texts that do not fit, leaving, a row that moves',
    { ...CALM, steps: ['textTooLong'], replies: ['text', 'none'], runs: ['runFailed'], leaves: true },
    each(['due', 'optional'], { moves: 1 }),
    500,
  ],
  [
    'later messages whose answer gets lost, and that arrive late',
    { ...CALM, losesAnswers: true },
    each(['due'], { moves: 2, deaths: 1 }),
    200,
  ],
  ['a row that moves again and again while the agent answers', CALM, [freshGhost('due', { moves: 4 })], 100],
  [
    'a backend that completes, replies of every kind, a row that moves, a process that dies',
    { ...CALM, replies: ['text', 'silent', 'none'], leaves: true },
    each(['due', 'optional', 'noTask'], { completes: true, moves: 1, deaths: 1 }),
    500,
  ],
  [
    'a backend that completes, loses its answers, and then completes no longer',
    { ...CALM, losesAnswers: true },
    each(['due'], { completes: true, moves: 2, deaths: 1 }),
    200,
  ],
  [
    'agents that only answer each other, until a person writes, Convex away, a process that dies',
    { ...CALM, steps: ['backendUnavailable'], leaves: true },
    [...each(['chatter'], { moves: 1, deaths: 1 }), ...each(['paced'], { moves: 1, deaths: 1 })],
    100,
  ],
  [
    'a gateway that goes down with it, again and again',
    { ...CALM, runs: ['runCut'], excuses: true },
    each(['mention']),
    50,
  ],
  [
    'a row that is gone, or that somebody else has marked',
    { ...CALM, steps: ['backendUnavailable'] },
    [freshGhost('due', { row: 'gone' }), freshGhost('due', { row: 'delivered' })],
    8,
  ],
];

for (const [name, menu, ghosts, atLeast] of WALKS) {
  const world = worldOf(menu, ghosts);
  const exploration = explore(world);
  describe(`a notification with ${name}: ${exploration.states} states, ${exploration.edges} steps`, () => {
    it('breaks no rule on any of its ways', () => {
      expect(exploration.violation).toBeNull();
      expect(exploration.states).toBeGreaterThanOrEqual(atLeast);
    });

    it('delivers its row once the world is well again', () => {
      const done = (snapshot: Snapshot, ghost: Ghost): boolean =>
        hasEnded(snapshot) && (!isListed(ghost) || ghost.leaving || snapshot.output?.outcome === 'stuck');
      expect(findStuck(world, exploration, { next: healthy, done, limit: 60 })).toBeNull();
    });

    it('ends when it is told to leave, by itself or when it is cut off', () => {
      for (const next of [leaving(false), leaving(true)]) {
        expect(findStuck(world, exploration, { next, done: hasEnded, limit: 40 })).toBeNull();
      }
      expect(findStuck(world, exploration, { next: aborting, done: hasEnded, limit: 3 })).toBeNull();
    });

    it('leaves no timer behind', () => {
      for (const { snapshot } of exploration.reached.values()) {
        if (hasEnded(snapshot)) expect(timersOf(snapshot)).toEqual([]);
      }
    });
  });
}

it('asks an agent that says nothing a few times, and then tells the thread', () => {
  const { reached } = explore(worldOf({ ...CALM, replies: ['none'] }, [freshGhost('due')]));
  const ends = [...reached.values()].filter(({ snapshot }) => hasEnded(snapshot));
  expect(ends.map(({ snapshot }) => snapshot.output?.outcome)).toEqual(['unanswered']);
  expect(ends.map(({ snapshot }) => snapshot.output?.attempts)).toEqual([MAX_SILENT_ATTEMPTS]);
  expect(ends.flatMap(({ ghost }) => ghost.thread)).toEqual([{ version: 1, isReply: false, withId: true }]);
  expect(
    [...reached.values()].some(({ snapshot }) => snapshot.context.entry.attempts === MAX_SILENT_ATTEMPTS),
  ).toBe(true);
});

/** Every state that a lane can reach with one row, its journal and an agent around it. */
import { describe, expect, it } from 'vitest';
import { createListener } from '../../test/kits/samples/mission-control.ts';
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
import type { LaneNews } from './context.ts';
import { jobTime } from './job.ts';
import { laneMachine } from './machine.ts';
import { MAX_ATTEMPTS, MAX_SILENT_ATTEMPTS } from './setup.ts';
import { skipReason } from './rules.ts';
import {
  freshGhost,
  isOwing,
  isQuiet,
  isRefund,
  isStartingOver,
  keyOf,
  movesOf,
  react,
  type Ghost,
  type LaneEdge,
  type LaneSnapshot,
  type Menu,
  type RowKind,
} from './world.test-kit.ts';

const CALM: Menu = { runs: [], steps: [], replies: ['text'], trials: [false], holds: [], leaves: false };
const LIMITS = { baseMs: 40_000, capMs: 60_000 };

const worldOf = (menu: Menu, ...ghosts: Ghost[]): World<typeof laneMachine, Ghost> => ({
  machine: laneMachine,
  input: {
    parent: createListener<LaneNews>().parent,
    key: 'lane:agent-e/task-1',
    session: LIMITS,
    backend: LIMITS,
    random: () => 0.5,
  },
  ghosts,
  moves: movesOf(menu),
  react,
  key: keyOf,
  check: (edge) => INVARIANTS.map((holds) => holds(edge)).find((problem) => problem !== null) ?? null,
});

type Invariant = (edge: LaneEdge) => string | null;

const runsOnlyWhenItMay: Invariant = ({ to, effects, before, after }) => {
  const [run] = spawns(effects, 'runAgent');
  if (run === undefined) return null;
  const { context } = to;
  if (context.work.held || context.draining || context.slotless) return 'a run that may not start';
  if (before.attempts >= MAX_ATTEMPTS && !isStartingOver(run.input)) return 'a run too many';
  const version = context.work.version?.createdAt;
  const silent = before.silent.version === version ? before.silent.runs : 0;
  if (before.kind === 'due' && silent >= MAX_SILENT_ATTEMPTS) return 'a silent run too many';
  const { job } = context;
  const hasRun = before.attempts > 0 || before.posts > 0;
  if (!hasRun && job !== null && jobTime(job) !== version) return 'a first run out of line';
  if (after.answered === version) return 'a second run for a version that is answered';
  const kept = before.kept?.version === version ? before.kept?.reply : null;
  return kept === 'text' || kept === 'silent' ? 'a second run for a reply that is kept' : null;
};

/** A mark settles a version too; a reply that the backend refused is still kept then, and never was in the thread. */
const isPosted = ({ answered, kept }: Ghost, version: { createdAt: number } | null): boolean =>
  answered === version?.createdAt && kept?.version !== answered;

const postsWhatItHas: Invariant = ({ to, effects, before }) => {
  const [post] = spawns(effects, 'postMessage');
  if (post === undefined) return null;
  const { content, withSource, version } = post.input as {
    content: string;
    withSource: boolean;
    version: { createdAt: number } | null;
  };
  // A note for a row that could never be loaded cannot know of an earlier post.
  if (to.context.work.delivery !== null && withSource !== (before.posts === 0)) return 'the wrong source';
  if (isQuiet(post.input)) return null;
  if (content !== 'Done.') return `posts "${content}"`;
  return isPosted(before, version) ? 'posts a second time' : null;
};

const completesWhatItHas: Invariant = ({ to, effects, before }) => {
  const [call] = spawns(effects, 'completeDelivery');
  if (call === undefined) return null;
  const { content, withSource, version } = call.input as {
    content: string | null;
    withSource: boolean;
    version: { createdAt: number } | null;
  };
  if (!to.context.work.completes) return 'completes where that is not offered';
  if (content === null) return to.context.work.outcome === 'silent' ? null : 'completes without the reply';
  if (withSource !== (before.posts === 0)) return 'the wrong source';
  if (content !== 'Done.') return `posts "${content}"`;
  return isPosted(before, version) ? 'posts a second time' : null;
};

const marksWhatIsDone: Invariant = ({ from, to, effects, before }) => {
  if (spawns(effects, 'markDelivered').length === 0) return null;
  const { outcome, delivery, reply } = to.context.work;
  const movedBehind = from?.matches('checking') === true && before.row === 'undelivered';
  if (
    movedBehind &&
    to.context.work.rowFailures === 0 &&
    before.version !== to.context.work.version?.createdAt
  ) {
    return 'marks a row that has moved';
  }
  switch (outcome) {
    case 'delivered':
      return before.answered === to.context.work.version?.createdAt ? null : 'marks without its post';
    case 'silent':
      return reply !== null && (before.kind !== 'due' || reply.text === 'HEARTBEAT_OK')
        ? null
        : 'marks a silence that is none';
    case 'skipped':
      return delivery !== null && skipReason(delivery) !== null ? null : 'skips without a rule';
    case 'already':
      return before.row === 'delivered' ? null : 'not marked by anybody';
    case 'parked':
    case 'unanswered':
      return before.noteTried || before.kind === 'noTask' ? null : 'gives up without a word';
    default:
      return `marks with outcome ${outcome}`;
  }
};

const settlesTruly: Invariant = ({ to, effects, after }) => {
  const [news] = sends(effects, 'lane.settled');
  if (news === undefined) return null;
  const { outcome } = news.event;
  const open = outcome === 'released' || outcome === 'stuck';
  if (outcome === 'left') return after.row === 'gone' ? null : 'left a row that is there';
  const isLost =
    outcome === 'released' && after.row === 'delivered' && !to.context.draining && !isOwing(after);
  if (isLost) return 'hands back what is marked';
  return open || after.row === 'delivered' ? null : `settled as ${String(outcome)} and not marked`;
};

const keepsToItsSlot: Invariant = ({ effects, before }) => {
  let lane = before.lane;
  for (const effect of effects) {
    if (effect.kind !== 'send') continue;
    const { type } = effect.event;
    if (type === 'lane.ready' && lane !== 'resting') return 'ready without a rest';
    if (type === 'lane.resting') lane = 'resting';
    if (type === 'lane.settled' && lane === 'idle') return 'settles what it does not have';
    if (type === 'lane.settled') lane = 'idle';
  }
  return null;
};

const refundsWhatWasCounted: Invariant = ({ effects, before, event }) => {
  const refund = spawns(effects, 'handBack').some(({ input }) => isRefund(input));
  const justCounted = event?.type.startsWith('xstate.error.actor') === true && before.lane === 'working';
  return refund && !before.refundable && !justCounted ? 'takes back what was not counted' : null;
};

const restsWithinBounds: Invariant = ({ from, to, effects }) => {
  const name = to.value;
  if (!name.startsWith('retrying') || from?.matches(to.value) === true) return null;
  const timer = effects.find((effect) => effect.kind === 'raise');
  const delay = timer?.kind === 'raise' ? timer.delayMs : 0;
  return delay >= 1 && delay <= LIMITS.capMs && delay === to.context.work.retryInMs
    ? null
    : `rests for ${delay} ms`;
};

const countsAlike: Invariant = ({ to, after }) =>
  to.matches('deciding') || !to.matches('judging') || to.context.work.entry.attempts === after.attempts
    ? null
    : 'the lane and the journal count differently';

const INVARIANTS = [
  runsOnlyWhenItMay,
  postsWhatItHas,
  completesWhatItHas,
  marksWhatIsDone,
  settlesTruly,
  keepsToItsSlot,
  refundsWhatWasCounted,
  restsWithinBounds,
  countsAlike,
];

/** Everything works from here on, and delivery gives the lane its slot back. */
function healthy(snapshot: LaneSnapshot, ghost: Ghost): Move<Ghost> | null {
  const good = movesOf(CALM)(snapshot, { ...ghost, moves: 0, deaths: 0 });
  return good.find(({ label }) => !label.startsWith('backend')) ?? null;
}

/** The lane is told to leave; what is out comes back, well or not. */
const leaving =
  (fails: boolean) =>
  (snapshot: LaneSnapshot, ghost: Ghost): Move<Ghost> | null => {
    if (!ghost.draining)
      return { label: 'lane.drain', event: { type: 'lane.drain' }, ghost: { ...ghost, draining: true } };
    const menu: Menu = fails
      ? { ...CALM, replies: [], runs: ['runFailed'], steps: ['backendRejected'] }
      : CALM;
    const calls = movesOf(menu)(snapshot, { ...ghost, moves: 0, deaths: 0 }).filter(
      ({ event }) => event?.type.startsWith('xstate.') === true,
    );
    return (fails ? calls.at(-1) : calls[0]) ?? null;
  };

const aborting = (snapshot: LaneSnapshot, ghost: Ghost): Move<Ghost> | null => {
  if (!ghost.draining)
    return { label: 'lane.drain', event: { type: 'lane.drain' }, ghost: { ...ghost, draining: true } };
  if (!ghost.aborted)
    return { label: 'lane.abort', event: { type: 'lane.abort' }, ghost: { ...ghost, aborted: true } };
  const [handBack] = callsOf(snapshot);
  return handBack === undefined
    ? null
    : { label: 'handed back', event: callDone(handBack.id, undefined), ghost };
};

const isIdle = (snapshot: LaneSnapshot): boolean =>
  snapshot.matches('waiting') && callsOf(snapshot).length === 0;

const each = (kinds: RowKind[], allowed: Partial<Ghost> = {}) =>
  kinds.map((kind) => freshGhost(kind, allowed));

const WALKS: [string, Menu, Ghost[], states: number][] = [
  [
    'runs that fail in every way, a gate that closes, a process that dies',
    {
      ...CALM,
      runs: ['runFailed', 'gatewayUnavailable', 'agentUnknown', 'requestRejected', 'aborted'],
      trials: [false, true],
      holds: [false, true],
    },
    each(['due', 'noTask'], { deaths: 1 }),
    1_500,
  ],
  [
    'replies of every kind, a row that moves, a process that dies',
    { ...CALM, replies: ['text', 'silent', 'none'], holds: [true] },
    each(['due', 'optional', 'noTask'], { moves: 1, deaths: 1 }),
    4_000,
  ],
  [
    'a message that comes right before the mark of a skipped row, Convex failing, a gate that closes, a death',
    { ...CALM, steps: ['backendUnavailable'], holds: [true] },
    [
      ...each(['stale'], { moves: 2, deaths: 1 }),
      ...each(['stale'], { completes: true, moves: 1, deaths: 1 }),
    ],
    500,
  ],
  [
    'Convex away and failing at every step, leaving at every moment',
    { ...CALM, steps: ['backendUnavailable', 'backendRejected'], leaves: true },
    each(['due', 'optional', 'noTask', 'skipped']),
    5_000,
  ],
  [
    'texts that do not fit, leaving, a row that moves',
    { ...CALM, steps: ['textTooLong'], replies: ['text', 'none'], runs: ['runFailed'], leaves: true },
    each(['due', 'optional'], { moves: 1 }),
    5_000,
  ],
  [
    'a row that moves again and again while the agent answers',
    CALM,
    [freshGhost('due', { moves: MAX_ATTEMPTS + 2 })],
    700,
  ],
  [
    'a backend that completes, replies of every kind, a row that moves, a process that dies',
    { ...CALM, replies: ['text', 'silent', 'none'], holds: [true] },
    each(['due', 'optional', 'noTask'], { completes: true, moves: 1, deaths: 1 }),
    2_000,
  ],
  [
    'a backend that completes, or fails, or whose answers get lost, a row that moves, leaving at every moment',
    { ...CALM, steps: ['backendUnavailable', 'backendRejected'], leaves: true },
    each(['due'], { completes: true, moves: 1 }),
    2_000,
  ],
  [
    'a row that is gone, or that somebody else has marked',
    { ...CALM, steps: ['backendUnavailable'] },
    [freshGhost('due', { row: 'gone' }), freshGhost('due', { row: 'delivered' })],
    10,
  ],
];

for (const [name, menu, ghosts, atLeast] of WALKS) {
  const world = worldOf(menu, ...ghosts);
  const exploration = explore(world);
  describe(`a lane with ${name}: ${exploration.states} states, ${exploration.edges} steps`, () => {
    it('breaks no rule on any of its ways', () => {
      expect(exploration.violation).toBeNull();
      expect(exploration.states).toBeGreaterThanOrEqual(atLeast);
    });

    it('delivers its row once the world is well again', () => {
      const done = (snapshot: LaneSnapshot, ghost: Ghost) =>
        isIdle(snapshot) &&
        ((ghost.row !== 'undelivered' && !isOwing(ghost)) ||
          ghost.draining ||
          snapshot.context.work.outcome === 'stuck');
      expect(findStuck(world, exploration, { next: healthy, done, limit: 30 })).toBeNull();
    });

    it('comes to rest when it is told to leave, by itself or when cut off', () => {
      for (const next of [leaving(false), leaving(true)]) {
        expect(findStuck(world, exploration, { next, done: isIdle, limit: 25 })).toBeNull();
      }
      expect(findStuck(world, exploration, { next: aborting, done: isIdle, limit: 3 })).toBeNull();
    });

    it('leaves no timer behind', () => {
      for (const { snapshot } of exploration.reached.values()) {
        if (isIdle(snapshot)) expect(timersOf(snapshot)).toEqual([]);
      }
    });
  });
}

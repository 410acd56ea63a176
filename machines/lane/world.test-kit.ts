/**
 * One row in Convex, its journal and the agent, as a lane's walk needs them: what each call of the lane gives back, and
 * what it leaves behind. It remembers what really happened, for the invariants to compare with what the lane thinks.
 */
import type { EventObject, SnapshotFrom } from 'xstate';
import { callDone, callFailed, callsOf, timersOf, type Edge, type Move } from '../../test/kits/explore.ts';
import { Fault, isAttempt, type FaultKind } from '../shared/fault.ts';
import type { DeliveryContext, NotificationRow } from '../shared/mission-control.ts';
import {
  rowWithout,
  sampleContext,
  sampleMessage,
  sampleRow,
  sampleTask,
} from '../../test/kits/samples/mission-control.ts';
import { isOwed, type LaneEntry } from './context.ts';
import { jobTime } from './job.ts';
import type { laneMachine } from './machine.ts';

export type LaneSnapshot = SnapshotFrom<typeof laneMachine>;
export type LaneEdge = Edge<typeof laneMachine, Ghost>;

/**
 * `due`: a user waits for the answer; `optional`: an agent wrote; `stale`: a rule skips its first message. Newer
 * messages are coalesced into these three.
 */
export type RowKind = 'due' | 'optional' | 'stale' | 'noTask' | 'skipped';
type ReplyKind = 'text' | 'silent' | 'none';

export const REPLIES: Record<ReplyKind, string> = { text: 'Done.', silent: 'HEARTBEAT_OK', none: '' };

export interface Ghost {
  kind: RowKind;
  /** The row's version in Convex. */
  version: number;
  row: 'undelivered' | 'delivered' | 'gone';
  attempts: number;
  kept: { reply: ReplyKind; version: number } | null;
  /** 2 stands for all above. */
  posts: number;
  answered: number | null;
  /** What delivery has of the lane. */
  lane: 'idle' | 'working' | 'resting' | 'ready';
  /** The row was in a list once; what is marked or gone is not listed again. */
  listed: boolean;
  /** The last run was counted, failed, and may be taken back once. */
  refundable: boolean;
  /** Runs without a word for one version of the row. */
  silent: { version: number; runs: number };
  noteTried: boolean;
  draining: boolean;
  aborted: boolean;
  /** The backend brings rows to their end in one call. */
  completes: boolean;
  /** How often the row may still move, and the process die. */
  moves: number;
  deaths: number;
}

export const freshGhost = (kind: RowKind, allowed: Partial<Ghost> = {}): Ghost => ({
  kind,
  version: 1,
  row: 'undelivered',
  attempts: 0,
  kept: null,
  posts: 0,
  answered: null,
  lane: 'idle',
  listed: false,
  refundable: false,
  silent: { version: 1, runs: 0 },
  noteTried: false,
  draining: false,
  aborted: false,
  completes: false,
  moves: 0,
  deaths: 0,
  ...allowed,
});

/** Which troubles a walk has in it. */
export interface Menu {
  runs: readonly FaultKind[];
  steps: readonly FaultKind[];
  replies: readonly ReplyKind[];
  trials: readonly boolean[];
  holds: readonly boolean[];
  leaves: boolean;
}

const atVersion = (version: number) => ({ messageId: `m${version}`, createdAt: version });

const TYPES = {
  due: 'thread_update',
  optional: 'thread_update',
  stale: 'thread_update',
  noTask: 'mention',
  skipped: 'status_change',
} as const satisfies Record<RowKind, NotificationRow['type']>;

export const rowOf = ({ kind, version, row }: Ghost): NotificationRow => ({
  ...(kind === 'noTask' ? rowWithout('taskId') : sampleRow()),
  type: TYPES[kind],
  ...atVersion(version),
  ...(row === 'delivered' && { deliveredAt: 9 }),
});

const RECIPIENT = { id: 'agent-e', slug: 'engineer', name: 'Engineer', role: 'Engineer' };

function contextOf(ghost: Ghost): DeliveryContext | null {
  if (ghost.row === 'gone') return null;
  return sampleContext({
    notification: rowOf(ghost),
    task: ghost.kind === 'noTask' ? null : sampleTask({ status: isSkipped(ghost) ? 'done' : 'in_progress' }),
    message: sampleMessage({ authorType: ghost.kind === 'optional' ? 'agent' : 'user' }),
    assignedAgents: [RECIPIENT],
  });
}

const isSkipped = ({ kind, version }: Ghost): boolean =>
  kind === 'skipped' || (kind === 'stale' && version === 1);

/** The journal has it that something is left to do for the row, although it is marked. */
export const isOwing = (ghost: Ghost): boolean =>
  ghost.row === 'delivered' && isOwed(rowOf(ghost), entryOf(ghost));

const entryOf = ({ attempts, kept, posts, answered }: Ghost): LaneEntry => ({
  attempts,
  posts,
  reply: kept && { text: REPLIES[kept.reply], toolCalls: 0, version: atVersion(kept.version) },
  answered: answered === null ? null : atVersion(answered),
});

const fault = (kind: FaultKind) => new Fault(kind, `${kind}!`);

export function movesOf(menu: Menu) {
  return (snapshot: LaneSnapshot, ghost: Ghost): Move<Ghost>[] => [
    ...callsOf(snapshot).flatMap((call) => outcomes(call, snapshot, ghost, menu)),
    ...timersOf(snapshot).map((event) => ({ label: 'time', event, ghost })),
    ...fromDelivery(snapshot, ghost, menu),
    ...fromOutside(ghost),
  ];
}

function outcomes(
  call: { id: string; src: string },
  snapshot: LaneSnapshot,
  ghost: Ghost,
  menu: Menu,
): Move<Ghost>[] {
  const done = (output: unknown, after: Ghost = ghost, label = 'done'): Move<Ghost> => ({
    label: `${call.src} ${label}`,
    event: callDone(call.id, output),
    ghost: after,
  });
  const failed = (kind: FaultKind, after: Ghost = ghost, label = ''): Move<Ghost> => ({
    label: `${call.src} ${kind}${label}`,
    event: callFailed(call.id, fault(kind)),
    ghost: after,
  });
  const version = snapshot.context.work.version?.createdAt ?? 0;
  const ownText = call.src === 'postMessage' && snapshot.matches('posting');
  const steps = menu.steps.filter((kind) => kind !== 'textTooLong' || ownText).map((kind) => failed(kind));
  switch (call.src) {
    case 'loadJob':
      return [
        done({ delivery: contextOf(ghost), entry: entryOf(ghost), completes: ghost.completes }),
        ...steps,
      ];
    case 'runAgent':
      return [
        ...menu.replies.map((reply) => {
          const kept = { ...ghost, kept: { reply, version }, refundable: false };
          const output = {
            reply: { text: REPLIES[reply], toolCalls: 0 },
            attempts: ghost.attempts,
            runMs: 1,
          };
          return done(output, reply === 'none' ? countSilence(kept, version) : kept, reply);
        }),
        ...menu.runs.map((kind) => {
          const counts = isAttempt(kind) && !snapshot.context.trial;
          return failed(kind, { ...ghost, attempts: ghost.attempts - (counts ? 0 : 1), refundable: counts });
        }),
      ];
    case 'postMessage':
      return [
        done(undefined, {
          ...ghost,
          posts: Math.min(ghost.posts + 1, 2),
          answered: version,
          kept: null,
          attempts: 0,
        }),
        ...steps,
      ];
    case 'completeDelivery':
      return [
        ...completed(snapshot, ghost, done),
        ...lostCompletion(snapshot, ghost, menu, failed),
        ...(snapshot.context.work.outcome === 'delivered' && menu.steps.includes('textTooLong')
          ? [failed('textTooLong')]
          : []),
        ...steps,
      ];
    case 'rereadRow':
      return [done(contextOf(ghost)), ...steps];
    case 'markDelivered':
      return [marked(snapshot, ghost, done), ...steps];
    default:
      return [done(undefined, ghost), failed('backendUnavailable')];
  }
}

/** One transaction: the post, the look and the mark; a row that has moved is given back. */
function completed(
  {
    context: {
      work: { version, outcome },
    },
  }: LaneSnapshot,
  ghost: Ghost,
  done: (output: unknown, after: Ghost, label?: string) => Move<Ghost>,
): Move<Ghost>[] {
  if (ghost.row === 'gone') return [];
  const nothingKept = { attempts: 0, kept: null };
  if (version?.createdAt === ghost.version) {
    return [done(null, { ...ghost, ...nothingKept, row: 'delivered', posts: 0, answered: null })];
  }
  const posted = {
    ...nothingKept,
    posts: Math.min(ghost.posts + 1, 2),
    answered: version?.createdAt ?? null,
  };
  const after = outcome === 'delivered' ? { ...ghost, ...posted } : ghost;
  return [done(contextOf(after), after, 'moved')];
}

/** It was done, and the answer got lost. */
function lostCompletion(
  {
    context: {
      work: { version },
    },
  }: LaneSnapshot,
  ghost: Ghost,
  menu: Menu,
  failed: (kind: FaultKind, after?: Ghost, label?: string) => Move<Ghost>,
): Move<Ghost>[] {
  if (ghost.row === 'gone' || !menu.steps.includes('backendUnavailable')) return [];
  const isMarked = version?.createdAt === ghost.version;
  return [
    failed('backendUnavailable', isMarked ? { ...ghost, row: 'delivered' } : ghost, ', its answer lost'),
  ];
}

/** A message that came in just before the mark is given back with the row; from the mark on none is coalesced. */
function marked(
  {
    context: {
      work: { version, delivery },
    },
  }: LaneSnapshot,
  ghost: Ghost,
  done: (output: unknown, after: Ghost, label?: string) => Move<Ghost>,
): Move<Ghost> {
  const looksAgain = delivery?.notification.type === 'thread_update' && ghost.row !== 'gone';
  const delivered: Ghost = { ...ghost, row: ghost.row === 'gone' ? 'gone' : 'delivered' };
  if (looksAgain && version?.createdAt !== ghost.version)
    return done(contextOf(delivered), { ...delivered, answered: version?.createdAt ?? null }, 'moved');
  return done(null, { ...delivered, attempts: 0, kept: null, posts: 0, answered: null });
}

const countSilence = (ghost: Ghost, version: number): Ghost => ({
  ...ghost,
  silent: { version, runs: ghost.silent.version === version ? ghost.silent.runs + 1 : 1 },
});

const isWaiting = (snapshot: LaneSnapshot): boolean => snapshot.matches('waiting');

function fromDelivery(snapshot: LaneSnapshot, ghost: Ghost, menu: Menu): Move<Ghost>[] {
  const hear = (
    event: EventObject & Record<string, unknown>,
    after: Ghost = ghost,
    detail = '',
  ): Move<Ghost> => ({
    label: event.type + detail,
    event,
    ghost: after,
  });
  const inHand = ghost.lane === 'working' || ghost.lane === 'resting';
  const isThere = ghost.row === 'undelivered' || ghost.lane === 'ready' || !ghost.listed || isOwing(ghost);
  const mayGo = isWaiting(snapshot) && !inHand && !ghost.draining && isThere;
  const job = { kind: 'notification', row: rowOf(ghost) };
  return [
    ...(mayGo ? menu.trials.map((trial) => go(job, trial, ghost)) : []),
    ...(inHand
      ? menu.holds.map((excused) => hear({ type: 'lane.hold', excused }, ghost, ` ${excused}`))
      : []),
    ...(inHand && menu.leaves && !ghost.draining
      ? [hear({ type: 'lane.drain' }, { ...ghost, draining: true })]
      : []),
    ...(inHand && ghost.draining && !ghost.aborted
      ? [hear({ type: 'lane.abort' }, { ...ghost, aborted: true })]
      : []),
    ...(ghost.lane === 'resting' ? [hear({ type: 'backend.available' })] : []),
  ];
}

export const go = (job: unknown, trial: boolean, ghost: Ghost): Move<Ghost> => ({
  label: trial ? 'lane.go as trial' : 'lane.go',
  event: { type: 'lane.go', job, trial, next: null } as EventObject,
  ghost: { ...ghost, lane: 'working', listed: true, noteTried: false },
});

function fromOutside(ghost: Ghost): Move<Ghost>[] {
  const mayMove = ghost.moves > 0 && ghost.row === 'undelivered' && TYPES[ghost.kind] === 'thread_update';
  return [
    ...(mayMove
      ? [
          {
            label: 'the row moves',
            ghost: { ...ghost, version: ghost.version + 1, moves: ghost.moves - 1 },
          },
        ]
      : []),
    ...(ghost.deaths > 0 ? [death(ghost)] : []),
  ];
}

const death = (ghost: Ghost): Move<Ghost> => ({
  label: 'the process dies and comes back',
  restart: true,
  ghost: {
    ...ghost,
    deaths: ghost.deaths - 1,
    lane: 'idle',
    refundable: false,
    draining: false,
    aborted: false,
  },
});

/** What the lane's own steps leave behind. */
export function react({ from, to, event, effects, after }: Omit<LaneEdge, 'before'>): Ghost {
  let ghost = after;
  for (const effect of effects) {
    if (effect.kind === 'spawn' && effect.src === 'runAgent') {
      const before = isStartingOver(effect.input) ? { ...ghost, attempts: 0, kept: null } : ghost;
      ghost = { ...before, attempts: before.attempts + 1, refundable: false };
    }
    if (effect.kind === 'spawn' && effect.src === 'handBack' && isRefund(effect.input)) {
      ghost = { ...ghost, attempts: Math.max(0, ghost.attempts - 1) };
    }
    if (effect.kind === 'spawn' && effect.src === 'postMessage' && isQuiet(effect.input)) {
      ghost = { ...ghost, noteTried: true };
    }
    if (effect.kind !== 'send') continue;
    if (effect.event.type === 'lane.resting') ghost = { ...ghost, lane: 'resting' };
    if (effect.event.type === 'lane.ready') ghost = { ...ghost, lane: 'ready' };
    if (effect.event.type === 'lane.settled') ghost = { ...ghost, lane: 'idle', refundable: false };
  }
  // A run that is cut off ends as `aborted`, which is no attempt.
  const cutOff = from?.matches('running') === true && !to.matches('running') && event?.type === 'lane.abort';
  return cutOff ? { ...ghost, attempts: ghost.attempts - 1 } : ghost;
}

export const isRefund = (input: unknown): boolean => (input as { refund: boolean }).refund;
export const isStartingOver = (input: unknown): boolean => (input as { startsOver: boolean }).startsOver;
export const isQuiet = (input: unknown): boolean => (input as { quiet: boolean }).quiet;

/** All that decides what a lane does next; delays are left out, their bounds are checked on entry. */
export function keyOf({ value, context }: LaneSnapshot, ghost: Ghost): string {
  const { trial, discardReply, draining, slotless, unknownForMs, job, work } = context;
  const { entry, version, reply, outcome, note, held, excused, refund, counted } = work;
  const { rowFailures, reopened, completes } = work;
  return JSON.stringify([
    [
      value,
      job && jobTime(job),
      trial,
      entry.attempts,
      entry.posts,
      entry.reply?.text,
      entry.answered?.createdAt,
    ],
    [version?.createdAt, reply?.text, outcome, note, discardReply, held, excused, refund, draining, slotless],
    [
      counted,
      reopened,
      completes,
      rowFailures,
      unknownForMs >= 120_000,
      unknownForMs > 0,
      Object.values(ghost),
    ],
  ]);
}

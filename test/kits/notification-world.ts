/**
 * One row in Convex, its entry on the disk, the thread and the agent, as a walk over the notification's chart needs
 * them: what each call gives back, and what it leaves behind. The world remembers what really happened, so that the
 * invariants can compare it with what the chart believes.
 */
import type { EventObject, SnapshotFrom } from 'xstate';
import type { Message, WriteAhead } from '../../machines/notification/actors.ts';
import { chatterNote } from '../../machines/notification/chatter.ts';
import type { NotificationInput } from '../../machines/notification/context.ts';
import {
  callAnswered,
  callBegan,
  called,
  handedBack,
  isKept,
  isOwed,
  replied,
  type Entry,
} from '../../machines/notification/entry.ts';
import { isSameVersion, type Version } from '../../machines/notification/version.ts';
import type { ToolAnswer } from '../../machines/shared/acting.ts';
import type { NextCall } from '../../machines/shared/rounds.ts';
import type { ToolCall } from '../../machines/shared/tools.ts';
import { MAX_CALL_FAILURES } from '../../machines/notification/failures.ts';
import type { notificationMachine } from '../../machines/notification/machine.ts';
import { Fault, type FaultKind } from '../../machines/shared/fault.ts';
import type {
  DeliveryContext,
  NotificationRow,
  ThreadMessage,
} from '../../machines/shared/mission-control.ts';
import {
  callDone,
  callFailed,
  callsOf,
  sends,
  timersOf,
  type Edge,
  type Effect,
  type Move,
} from './explore.ts';
import {
  createListener,
  rowWithout,
  sampleContext,
  sampleMessage,
  sampleRow,
  sampleTask,
} from './samples/mission-control.ts';

export type Snapshot = SnapshotFrom<typeof notificationMachine>;
export type NotificationEdge = Edge<typeof notificationMachine, Ghost>;

/**
 * `due`: a user waits for the answer; `optional`: an agent wrote; `stale`: a rule skips its first message. Newer
 * messages are coalesced into these. `chatter`, `paced`: agents answered each other, and the first message is one of
 * theirs; a newer one is a person's.
 */
export type RowKind = 'chatter' | 'paced' | 'due' | 'optional' | 'stale' | 'mention' | 'noTask' | 'skipped';
type ReplyKind = 'text' | 'silent' | 'none' | 'calls';

export const REPLIES: Record<ReplyKind, string> = {
  text: 'Done.',
  silent: 'HEARTBEAT_OK',
  none: '',
  calls: '',
};

const CALL: ToolCall = { callId: 'c1', name: 'task_status', arguments: '{}' };
const ANSWER: ToolAnswer = { output: '{"ok":true}', outcome: 'ok' };
/** Enough to see one round follow another. */
const ROUNDS = 2;
/** So many messages of agents in a row are chatter. */
const LIMIT = 12;
export const LIMITS = { baseMs: 1_000, capMs: 8_000 };

export interface Ghost {
  kind: RowKind;
  /** The row's version in Convex. */
  version: number;
  row: 'undelivered' | 'delivered' | 'gone';
  /** The version that the list showed. */
  listed: number;
  disk: Entry | null;
  /** Versions that a message in the thread answers, and whether it is a reply. */
  thread: readonly { version: number; isReply: boolean; withId: boolean }[];
  /** Calls that had their effect, each by its place in the run. */
  effects: readonly string[];
  /** Replies that were kept as dead letters, by version. */
  letters: readonly number[];
  /** A later message that was sent and whose answer got lost: it arrives when it likes. */
  onItsWay: Ghost['thread'][number] | null;
  slot: 'none' | 'wanted' | 'granted';
  leaving: boolean;
  aborted: boolean;
  completes: boolean;
  /** How often the row may still move, and the process die. */
  moves: number;
  deaths: number;
}

export const freshGhost = (kind: RowKind, allowed: Partial<Ghost> = {}): Ghost => ({
  kind,
  version: 1,
  row: 'undelivered',
  listed: 1,
  disk: null,
  thread: [],
  effects: [],
  letters: [],
  onItsWay: null,
  slot: 'none',
  leaving: false,
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
  /** Shared trouble is found while it rests or runs. */
  excuses: boolean;
  leaves: boolean;
  /** A later message may be sent and its answer get lost. */
  losesAnswers: boolean;
  /** The functions are found to fail for different rows alike, and are well again. */
  troubles: boolean;
}

export const CALM: Menu = {
  runs: [],
  steps: [],
  replies: ['text'],
  trials: [false],
  excuses: false,
  leaves: false,
  losesAnswers: false,
  troubles: false,
};

const atVersion = (version: number): Version => ({ messageId: `m${version}`, createdAt: version });

const TYPES = {
  chatter: 'thread_update',
  paced: 'thread_update',
  due: 'thread_update',
  optional: 'thread_update',
  stale: 'thread_update',
  mention: 'mention',
  noTask: 'mention',
  skipped: 'status_change',
} as const satisfies Record<RowKind, NotificationRow['type']>;

const coalescesIn = ({ kind }: Ghost): boolean => TYPES[kind] === 'thread_update';

const rowAt = (ghost: Ghost, version: number): NotificationRow => ({
  ...(ghost.kind === 'noTask' ? rowWithout('taskId') : sampleRow()),
  type: TYPES[ghost.kind],
  messageId: `m${version}`,
  createdAt: version,
});

const rowOf = (ghost: Ghost): NotificationRow => ({
  ...rowAt(ghost, ghost.version),
  ...(ghost.row === 'delivered' && { deliveredAt: 9 }),
});

const RECIPIENT = { id: 'agent-e', slug: 'engineer', name: 'Engineer', role: 'Engineer' };

function contextOf(ghost: Ghost): DeliveryContext | null {
  if (ghost.row === 'gone') return null;
  return sampleContext({
    notification: rowOf(ghost),
    task: ghost.kind === 'noTask' ? null : sampleTask({ status: isSkipped(ghost) ? 'done' : 'in_progress' }),
    message: sampleMessage({ authorType: isOfAgent(ghost) ? 'agent' : 'user' }),
    thread: threadOf(ghost),
    assignedAgents: [RECIPIENT],
  });
}

const isOfAgent = ({ kind, version }: Ghost): boolean =>
  kind === 'optional' || ((kind === 'chatter' || kind === 'paced') && version === 1);

/** As many messages of agents as the kind says, our note, and then a person's. */
function threadOf(ghost: Ghost): ThreadMessage[] {
  if (ghost.kind !== 'chatter' && ghost.kind !== 'paced') return [];
  const chain = Array.from({ length: ghost.kind === 'chatter' ? LIMIT : 3 }, () => 'Go on.');
  const note = ghost.thread.some(({ isReply }) => !isReply) ? [chatterNote()] : [];
  const words = [...chain, ...note].map((content) => ({ content, authorType: 'agent' as const }));
  const person = ghost.version > 1 ? [{ content: 'Wait.', authorType: 'user' as const }] : [];
  return [...words, ...person].map((message, n) => ({
    ...message,
    messageId: `t${n}`,
    authorId: `agent-${n % 2}`,
    authorName: null,
    createdAt: n + 1,
  }));
}

export const isSkipped = ({ kind, version }: Ghost): boolean =>
  kind === 'skipped' || (kind === 'stale' && version === 1);

/** The journal has it that something is left to do for the row, although it is marked. */
export const isOwing = (ghost: Ghost): boolean =>
  ghost.row === 'delivered' && ghost.disk !== null && isOwed(rowOf(ghost), ghost.disk);

export const inputOf = (ghost: Ghost): NotificationInput => ({
  parent: createListener<never>().parent as NotificationInput['parent'],
  session: 'agent-e/task-1',
  row: rowAt(ghost, ghost.listed),
  entry: ghost.disk,
  given: null,
  runs: LIMITS,
  backend: LIMITS,
  stallAfterMs: 300_000,
  random: () => 0.5,
  moment: () => ({ boot: 'boot', ms: 1 }),
  troubled: [],
  away: [],
  thread: null,
  chainLimit: LIMIT,
});

export function movesOf(menu: Menu) {
  return (snapshot: Snapshot, ghost: Ghost): Move<Ghost>[] => [
    ...callsOf(snapshot).flatMap((call) => outcomes(call, snapshot, ghost, menu)),
    ...timersOf(snapshot).map((event) => ({ label: 'time', event, ghost })),
    ...(snapshot.matches({ working: { running: 'silent' } })
      ? [{ label: 'run.sign', event: { type: 'run.sign' }, ghost }]
      : []),
    ...fromDelivery(ghost, menu),
    ...fromOutside(snapshot, ghost),
  ];
}

const fault = (kind: FaultKind) => new Fault(kind, `${kind}!`);

type Done = (output: unknown, after?: Ghost, label?: string) => Move<Ghost>;

function outcomes(
  call: { id: string; src: string },
  snapshot: Snapshot,
  ghost: Ghost,
  menu: Menu,
): Move<Ghost>[] {
  const done: Done = (output, after = ghost, label = 'done') => ({
    label: `${call.src} ${label}`,
    event: callDone(call.id, output),
    ghost: after,
  });
  const failed = (kind: FaultKind, after: Ghost = ghost): Move<Ghost> => ({
    label: `${call.src} ${kind}`,
    event: callFailed(call.id, fault(kind)),
    ghost: after,
  });
  const { context } = snapshot;
  const version = context.version?.createdAt ?? context.row.createdAt;
  const isReply = context.result.outcome === 'delivered';
  const message = { version, isReply, withId: call.src === 'postMessage' };
  const fits = !isReply || !menu.steps.includes('textTooLong');
  const steps = menu.steps
    .filter((kind) => kind !== 'textTooLong' || (isReply && call.src.startsWith('post')))
    .map((kind) => failed(kind));
  switch (call.src) {
    case 'readContext':
      return [done({ delivery: contextOf(ghost), completes: ghost.completes, typing: true }), ...steps];
    case 'runAgent':
      return [
        ...menu.replies.flatMap((reply): Move<Ghost>[] => {
          if (reply === 'calls') return calling(context.entry, version, ghost, done);
          const kept = { text: REPLIES[reply], toolCalls: 0 };
          const disk = replied(context.entry, kept, atVersion(version));
          return [done({ reply: kept, calls: [], runMs: 1 }, { ...ghost, disk }, reply)];
        }),
        ...menu.runs.map((kind) => failed(kind)),
      ];
    case 'postMessage':
      return [...(fits ? [done(undefined, posted(ghost, message))] : []), ...steps];
    case 'postAgain':
      return [
        ...(fits ? [done(undefined, posted(ghost, message))] : []),
        ...(menu.losesAnswers ? [failed('backendUnavailable', { ...ghost, onItsWay: message })] : []),
        ...steps,
      ];
    case 'findMessage': {
      const found = ghost.thread.some((one) => one.version === version && !one.withId);
      return [done({ found, mayArriveForMs: ghost.onItsWay === null ? 0 : 1_000 }), ...steps];
    }
    case 'completeDelivery':
      return [
        ...completed(version, isReply, ghost, done),
        ...(menu.losesAnswers ? lostCompletion(version, isReply, ghost, failed) : []),
        ...steps,
      ];
    case 'rereadRow':
      return [done(contextOf(ghost)), ...steps];
    case 'markDelivered':
      return [marked(version, ghost, done), ...steps];
    case 'makeCall': {
      const place = placeOf(context.entry, version);
      const effects = [...new Set([...ghost.effects, place])];
      const disk = callAnswered(callBegan(context.entry), ANSWER);
      const isGivenUp = context.rest.callFailures >= MAX_CALL_FAILURES;
      const lost = failed('backendUnavailable', { ...ghost, effects });
      const fails = isGivenUp ? [] : [...(menu.losesAnswers ? [lost] : []), ...steps];
      return [done(ANSWER, { ...ghost, effects, disk }), ...fails];
    }
    case 'keepDeadLetter':
      return [done(undefined, { ...ghost, letters: [...new Set([...ghost.letters, version])] })];
    // Nobody waits for it.
    case 'endTyping':
      return [];
    default:
      return [done(undefined), failed('backendUnavailable')];
  }
}

const placeOf = ({ rounds }: Entry, version: number): string => `${version}:${rounds.count}`;

/** The agent calls a tool, for a few rounds. */
const calling = (entry: Entry, version: number, ghost: Ghost, done: Done): Move<Ghost>[] =>
  entry.rounds.count >= ROUNDS
    ? []
    : [
        done(
          { reply: { text: '', toolCalls: 1 }, calls: [CALL], runMs: 1 },
          {
            ...ghost,
            disk: called(entry, [CALL], { version: atVersion(version), taskStatus: 'in_progress' }),
          },
          'calls',
        ),
      ];

/** With the id Convex posts the first message once, however often it is asked. */
function posted(ghost: Ghost, message: Ghost['thread'][number]): Ghost {
  const known = message.withId && ghost.thread.some(({ withId }) => withId);
  return known ? ghost : { ...ghost, thread: [...ghost.thread, message] };
}

/** One transaction: the post, the look and the mark. A row that has moved is given back. */
function completed(version: number, isReply: boolean, ghost: Ghost, done: Done): Move<Ghost>[] {
  if (ghost.row === 'gone') return [];
  const after = completion(version, isReply, ghost);
  return after.row === 'delivered'
    ? [done(null, { ...after, disk: null })]
    : [done(contextOf(after), after, 'moved')];
}

/** The transaction took place, and its answer is a connection that breaks, or an error. */
const lostCompletion = (
  version: number,
  isReply: boolean,
  ghost: Ghost,
  failed: (kind: FaultKind, after: Ghost) => Move<Ghost>,
): Move<Ghost>[] => {
  if (ghost.row === 'gone') return [];
  const after = completion(version, isReply, ghost);
  return [failed('backendUnavailable', after), failed('backendRejected', after)];
};

function completion(version: number, isReply: boolean, ghost: Ghost): Ghost {
  const message = { version, isReply, withId: !ghost.thread.some(({ withId }) => withId) };
  const isThere = ghost.thread.some((one) => one.version === version);
  return {
    ...ghost,
    ...(isReply && !isThere && { thread: [...ghost.thread, message] }),
    ...(version === ghost.version && { row: 'delivered' as const }),
  };
}

/** A message that came in just before the mark is given back with the row; from the mark on none is coalesced. */
function marked(version: number, ghost: Ghost, done: Done): Move<Ghost> {
  const delivered: Ghost = { ...ghost, row: ghost.row === 'gone' ? 'gone' : 'delivered' };
  const hasMoved = coalescesIn(ghost) && ghost.row !== 'gone' && version !== 0 && version !== ghost.version;
  return hasMoved ? done(contextOf(delivered), delivered, 'moved') : done(null, { ...delivered, disk: null });
}

const TROUBLED = [
  'getNotificationForDelivery',
  'createMessageFromAgent',
  'loadTaskDetailsForAgentTool',
  'markNotificationDelivered',
];

function fromDelivery(ghost: Ghost, menu: Menu): Move<Ghost>[] {
  const hear = (event: EventObject & Record<string, unknown>, after: Ghost = ghost): Move<Ghost> => ({
    label: event.type,
    event,
    ghost: after,
  });
  return [
    ...(ghost.slot === 'wanted' && !ghost.leaving
      ? menu.trials.map((trial) => hear({ type: 'slot.granted', trial }, { ...ghost, slot: 'granted' }))
      : []),
    ...(menu.excuses
      ? ['gateway.excused', 'gateway.available', 'agent.available'].map((type) =>
          hear({ type, ailing: false }),
        )
      : []),
    ...(menu.leaves && !ghost.leaving ? [hear({ type: 'work.leave' }, { ...ghost, leaving: true })] : []),
    ...(menu.leaves && ghost.leaving && !ghost.aborted
      ? [hear({ type: 'work.abort' }, { ...ghost, aborted: true })]
      : []),
    ...(ghost.kind === 'paced' ? [hear({ type: 'row.stirred' })] : []),
    ...(menu.steps.length > 0 ? [hear({ type: 'backend.available' })] : []),
    ...(menu.troubles
      ? [TROUBLED, []].map((names) => hear({ type: 'functions.troubled', names, away: [] }))
      : []),
  ];
}

function fromOutside(snapshot: Snapshot, ghost: Ghost): Move<Ghost>[] {
  const moves: Move<Ghost>[] = [];
  if (ghost.moves > 0 && ghost.row === 'undelivered' && coalescesIn(ghost)) {
    moves.push({
      label: 'the row moves',
      ghost: { ...ghost, version: ghost.version + 1, moves: ghost.moves - 1 },
    });
  }
  if (ghost.onItsWay !== null) {
    moves.push({
      label: 'the message arrives',
      ghost: { ...posted(ghost, ghost.onItsWay), onItsWay: null },
    });
  }
  if (ghost.completes && ghost.deaths > 0) {
    moves.push({ label: 'Convex completes no longer', ghost: { ...ghost, completes: false } });
  }
  if (ghost.deaths > 0 && snapshot.status === 'active') {
    moves.push(again('the process dies and comes back', { ...ghost, deaths: ghost.deaths - 1 }));
  }
  if (snapshot.status === 'done' && !ghost.leaving && isListed(ghost)) {
    moves.push(again('the list shows it again', ghost));
  }
  return moves;
}

/** Convex lists it, or the journal knows that it is owed. */
export const isListed = (ghost: Ghost): boolean => ghost.row === 'undelivered' || isOwing(ghost);

export const again = (label: string, ghost: Ghost): Move<Ghost> => ({
  label,
  restart: true,
  ghost: { ...ghost, listed: ghost.version, slot: 'none', leaving: false, aborted: false },
});

const WRITES_FIRST = ['runAgent', 'makeCall', 'endTyping', 'postAgain', 'rereadRow'];

const kept = (entry: Entry): Entry | null => (isKept(entry) ? entry : null);

/** What the chart's own steps leave behind. */
export function react({ effects, after }: Omit<NotificationEdge, 'before'>): Ghost {
  return effects.reduce(reactTo, after);
}

function reactTo(ghost: Ghost, effect: Effect): Ghost {
  if (effect.kind === 'spawn') {
    const input = effect.input as WriteAhead;
    if (WRITES_FIRST.includes(effect.src)) return { ...ghost, disk: kept(input.entry) };
    if (effect.src === 'completeDelivery' && input.entry.begun !== null) {
      return { ...ghost, disk: kept(input.entry) };
    }
    if (effect.src === 'handBack') return { ...ghost, disk: kept(handedBack(ghost.disk, input.entry)) };
    if (effect.src === 'postMessage' && (effect.input as Message).quiet) {
      return { ...ghost, disk: kept(input.entry) };
    }
    if (effect.src === 'markDelivered') return writtenBeforeMark(ghost, input);
    return ghost;
  }
  if (effect.kind !== 'send') return ghost;
  if (effect.event.type === 'slot.wanted') return { ...ghost, slot: 'wanted' };
  const { type, before } = effect.event;
  const isFree = type === 'slot.returned' || (type === 'child.rested' && before === 'run');
  return isFree ? { ...ghost, slot: 'none' } : ghost;
}

function writtenBeforeMark(ghost: Ghost, { entry, ...input }: WriteAhead): Ghost {
  const version = (input as { version?: Version | null }).version ?? null;
  const known = ghost.disk?.answered ?? null;
  const isKnown = version === null || (known !== null && isSameVersion(known, version));
  return isKnown ? ghost : { ...ghost, disk: kept(entry) };
}

/** All that decides what happens next. Delays are left out: their bounds are checked on entry. */
export function keyOf({ value, status, context }: Snapshot, ghost: Ghost): string {
  const { entry, version, reply, permission, trial, blame, unpaid, result, backend, rest, row } = context;
  return JSON.stringify([
    [value, status, row.createdAt, version?.createdAt, reply?.text, permission, trial, blame, unpaid],
    [context.paced?.createdAt, context.thread?.chain],
    [result.outcome, result.note, backend, entryKey(entry)],
    [
      rest.cause,
      rest.counted,
      rest.rowFailures,
      rest.callFailures,
      rest.unknownForMs > 0,
      rest.unknownForMs >= 120_000,
    ],
    [{ ...ghost, disk: ghost.disk && entryKey(ghost.disk) }],
  ]);
}

const entryKey = ({
  attempts,
  cuts,
  runsFor,
  posts,
  reply,
  answered,
  begun,
  parked,
  rounds,
  roundsFor,
}: Entry) => [
  parked,
  cuts,
  runsFor?.createdAt,
  rounds,
  roundsFor?.createdAt,
  attempts,
  posts,
  reply?.text,
  reply?.version.createdAt,
  answered?.createdAt,
  begun !== null,
];

export const isRest = (effects: readonly Effect[]): boolean => sends(effects, 'child.rested').length > 0;

/** The call that goes out, with what is on the disk of it. */
export const callOf = (input: unknown): { next: NextCall | null; entry: Entry } =>
  input as { next: NextCall | null; entry: Entry };

/**
 * A queue of rows, children that report, and a gate that moves, as a walk over delivery's chart needs them: what delivery
 * may hear next, and what it has given out so far.
 */
import type { EventObject, SnapshotFrom } from 'xstate';
import type { BeatAnswer, ChildOutput, PageRow } from '../../machines/delivery/context.ts';
import type { deliveryMachine } from '../../machines/delivery/machine.ts';
import { itemId, sessionOf } from '../../machines/delivery/queue.ts';
import type { Outcome } from '../../machines/notification/context.ts';
import { Fault } from '../../machines/shared/fault.ts';
import type { NotificationRow } from '../../machines/shared/mission-control.ts';
import { callDone, callFailed, callsOf, timersOf, type Edge, type Effect, type Move } from './explore.ts';
import { createListener, sampleAgent, sampleRow } from './samples/mission-control.ts';

export type DeliverySnapshot = SnapshotFrom<typeof deliveryMachine>;
export type DeliveryEdge = Edge<typeof deliveryMachine, Ghost>;

/** Where a child is: what delivery takes it for must be the same. */
type ChildState = 'preparing' | 'ready' | 'running' | 'resting' | 'answering';

export interface Ghost {
  /** Convex's queue, by id, oldest first. */
  undelivered: readonly string[];
  /** The children that are alive, by session. */
  children: Readonly<Record<string, ChildState>>;
  /** How many rows were asked for. */
  asked: number;
  /** The session that has the trial of this trial time. */
  trialOn: string | null;
  /** A second trial went out beside it. */
  twoTrials: boolean;
  /** Rows that were set aside once: they come when they come. */
  late: readonly string[];
  crashes: number;
  beats: number;
  /** Whether a change is told; null where the queue cannot be watched. */
  watched: boolean | null;
  /** Rows that Convex gets later on. */
  coming: readonly string[];
  /** A row came that no list was asked for since, and it was told. */
  told: boolean;
  /** Sessions whose run is to go out alone. */
  alone: readonly string[];
  /** Runs that may still fail, each of its own notification. */
  failures: number;
  /** How many runs may still use up their agent's tokens of the day. */
  spends: number;
}

export const FRESH: Ghost = {
  undelivered: ['a1', 'b1', 'a2', 'c1'],
  children: {},
  asked: 0,
  trialOn: null,
  twoTrials: false,
  late: [],
  crashes: 0,
  beats: 0,
  watched: null,
  coming: [],
  told: false,
  alone: [],
  failures: 0,
  spends: 0,
};

/** What an agent may use in a day, in the walks. */
export const TOKENS_A_DAY = 100;

export const ROWS: readonly NotificationRow[] = [
  sampleRow({ _id: 'a1', taskId: 'a', createdAt: 1 }),
  sampleRow({ _id: 'b1', taskId: 'b', createdAt: 2 }),
  sampleRow({ _id: 'a2', taskId: 'a', createdAt: 3 }),
  sampleRow({ _id: 'c1', taskId: 'c', createdAt: 4, recipientId: 'agent-q' }),
];

export interface Menu {
  outcomes: readonly Outcome[];
  gate: readonly EventObject[];
  leaves: boolean;
  listFails: boolean;
  rests: boolean;
}

export const AVAILABLE = { type: 'gateway.available' };
export const TRIAL = { type: 'gateway.trial' };
export const LOST = { type: 'gateway.lost', excused: true };

export const gateOf = ({ value }: DeliverySnapshot): string =>
  typeof value === 'string' ? 'none' : typeof value.active.gate === 'string' ? value.active.gate : 'open';

export const isAccepting = ({ value }: DeliverySnapshot): boolean =>
  typeof value !== 'string' && value.active.mode === 'accepting';

const heartbeat = createListener<BeatAnswer>().parent;

export function movesOf(menu: Menu) {
  return (snapshot: DeliverySnapshot, ghost: Ghost): Move<Ghost>[] => [
    ...callsOf(snapshot).flatMap(({ id }) => answers(id, snapshot, ghost, menu)),
    ...notesOf(snapshot).flatMap((id) => restNotes(id, snapshot, ghost, menu)),
    ...Object.keys(snapshot.context.outOfTokens).map((agentId) => hear({ type: 'day.over', agentId }, ghost)),
    ...timersOf(snapshot).map((event) => ({ label: event.type.split('.')[2] ?? 'time', event, ghost })),
    ...menu.gate.map((event) => ({ label: event.type, event, ghost })),
    ...Object.entries(ghost.children).flatMap(([key, state]) => newsOf(key, state, snapshot, ghost, menu)),
    ...snapshot.context.setAside.map((id) => hear({ type: 'row.reconsider', id, session: id }, ghost)),
    ...Object.entries(snapshot.context.troubles).flatMap(([scope, state]) => verdicts(scope, state, ghost)),
    ...(menu.leaves ? [hear({ type: 'delivery.drain' }, ghost)] : []),
    ...(menu.leaves && !isAccepting(snapshot) ? [hear({ type: 'delivery.abort' }, ghost)] : []),
    ...(menu.listFails
      ? [hear({ type: 'backend.available' }, ghost), hear({ type: 'delivery.poll' }, ghost)]
      : []),
    ...watchMoves(ghost),
    ...(ghost.beats > 0
      ? [
          hear(
            { type: 'beat.due', agent: sampleAgent(), seen: [], replyTo: heartbeat },
            { ...ghost, beats: ghost.beats - 1 },
          ),
        ]
      : []),
  ];
}

const hear = (event: EventObject & Record<string, unknown>, ghost: Ghost, detail = ''): Move<Ghost> => ({
  label: event.type + detail,
  event,
  ghost,
});

/** The subscription comes and goes, and rows come in; each is told while it stands. */
function watchMoves(ghost: Ghost): Move<Ghost>[] {
  if (ghost.watched === null) return [];
  const moves = ghost.watched
    ? [hear({ type: 'queue.unwatched' }, { ...ghost, watched: false, told: false })]
    : [hear({ type: 'queue.watched' }, { ...ghost, watched: true, told: true })];
  const [row, ...coming] = ghost.coming;
  if (row === undefined) return moves;
  const after = { ...ghost, coming, undelivered: [...ghost.undelivered, row], told: ghost.watched };
  return ghost.watched
    ? [...moves, hear({ type: 'queue.changed' }, after, ` ${row}`)]
    : [...moves, { label: `${row} comes untold`, ghost: after }];
}

/** What a scope's small machine may find out. */
function verdicts(scope: string, state: 'doubtful' | 'found', ghost: Ghost): Move<Ghost>[] {
  const wasFound = state === 'found';
  const over = callDone(`trouble:${scope}`, { kind: 'trouble', scope, wasFound });
  const found = { type: 'trouble.found', scope, who: scope, reason: 'It failed.', since: 0 };
  return [
    { label: `${scope} is well`, event: over, ghost },
    ...(wasFound ? [] : [hear(found, ghost, ` ${scope}`)]),
  ];
}

const notesOf = ({ children }: DeliverySnapshot): string[] =>
  Object.keys(children)
    .filter((id) => id.startsWith('rest:'))
    .sort();

/** A thread was told, needs no word for that row, or could not be told. */
function restNotes(id: string, { context }: DeliverySnapshot, ghost: Ghost, menu: Menu): Move<Ghost>[] {
  const session = id.replace('rest:', '');
  const notDue = Object.values(context.outOfTokens).flatMap((rest) => rest.notDue);
  const row = sessionOf(context.queue, session)?.items.find((item) => !notDue.includes(itemId(item)));
  const notificationId = row === undefined ? '' : itemId(row);
  return (['told', ...(menu.rests ? (['notDue', 'failed'] as const) : [])] as const).map((result) => ({
    label: `${id} ${result}`,
    event: callDone(id, { kind: 'restNote', session, notificationId, result }),
    ghost,
  }));
}

function answers(id: string, snapshot: DeliverySnapshot, ghost: Ghost, menu: Menu): Move<Ghost>[] {
  if (id.includes('draining')) {
    const isOver = snapshot.matches({ active: { mode: { draining: 'released' } } });
    return isOver ? [] : [{ label: 'rows released', event: callDone(id, undefined), ghost }];
  }
  const rows = ROWS.filter((row) => ghost.undelivered.includes(row._id))
    .slice(0, ghost.asked)
    .map((row): PageRow => ({ row, entry: null, given: null }));
  return [
    {
      label: 'the list',
      event: callDone(id, { rows, listed: rows.length, unseen: false, cursor: null }),
      ghost,
    },
    ...(menu.listFails
      ? (['backendUnavailable', 'backendRefused'] as const).map((kind) => ({
          label: `no list: ${kind}`,
          event: callFailed(id, new Fault(kind, 'no list')),
          ghost,
        }))
      : []),
  ];
}

const MARKED: ReadonlySet<string> = new Set([
  'delivered',
  'silent',
  'skipped',
  'unanswered',
  'parked',
  'already',
]);

function newsOf(
  key: string,
  state: ChildState,
  snapshot: DeliverySnapshot,
  ghost: Ghost,
  menu: Menu,
): Move<Ghost>[] {
  const session = sessionOf(snapshot.context.queue, key);
  const head = session?.items[0];
  if (session?.actorId == null || head === undefined) return [];
  const { actorId } = session;
  const id = itemId(head);
  const isFree = state === 'running' && ghost.trialOn === key;
  const trialOn = isFree ? null : ghost.trialOn;
  const become = (next: ChildState): Ghost => ({
    ...ghost,
    trialOn,
    children: { ...ghost.children, [key]: next },
  });
  const ended: Ghost = { ...ghost, trialOn, children: without(ghost.children, key) };
  const done = (outcome: Outcome): Move<Ghost> => {
    const isBeat = head.kind === 'beat';
    const output: ChildOutput = isBeat
      ? {
          kind: 'beat',
          session: key,
          title: key,
          agentId: head.agent._id,
          outcome: 'beaten',
          focus: null,
          runMs: 1,
          reason: null,
        }
      : {
          kind: 'notification',
          session: key,
          title: key,
          id,
          outcome,
          attempts: 1,
          runMs: 1,
          reason: null,
          note: null,
          thread: null,
        };
    const isMarked = MARKED.has(output.outcome);
    return {
      label: `${id} ${output.outcome}`,
      event: callDone(actorId, output),
      ghost: {
        ...ended,
        undelivered: isMarked ? ended.undelivered.filter((one) => one !== id) : ended.undelivered,
        late: outcome === 'gone' ? [...ended.late, id] : ended.late,
      },
    };
  };
  const rest = (before: 'run' | 'call'): Move<Ghost> =>
    hear(
      { type: 'child.rested', session: key, before, reason: null },
      become(state === 'answering' ? 'answering' : 'resting'),
      ` ${id}`,
    );
  const alone = ghost.alone.includes(key);
  const who = { agent: key, title: key };
  const wants = hear({ type: 'slot.wanted', session: key, who, alone }, become('ready'), ` ${id}`);
  const fails: Move<Ghost>[] =
    ghost.failures > 0 && state === 'running'
      ? [
          hear(
            { type: 'run.failed', session: key, who, kind: 'runFailed', reason: 'It failed.' },
            { ...ghost, failures: ghost.failures - 1 },
            ` ${id}`,
          ),
        ]
      : [];
  const agentId = key.split('/')[0] ?? key;
  const spent = { agentId, agent: agentId, tokens: TOKENS_A_DAY, used: 1, dayEndsInMs: 1 };
  const spends: Move<Ghost>[] =
    ghost.spends > 0
      ? [hear({ type: 'tokens.spent', spent }, { ...ghost, spends: ghost.spends - 1 }, ` ${id}`)]
      : [];
  const returns = hear({ type: 'slot.returned', session: key }, become('answering'), ` ${id}`);
  const crash: Move<Ghost>[] =
    ghost.crashes > 0
      ? [
          {
            label: `crash of ${key}`,
            event: callFailed(actorId, new Error('a bug in a child')),
            ghost: { ...ended, late: [...ghost.late, id], crashes: ghost.crashes - 1 },
          },
        ]
      : [];
  const ends = menu.outcomes.map(done);
  const rests = menu.rests ? [rest(state === 'running' ? 'run' : 'call')] : [];
  switch (state) {
    case 'preparing':
      return [wants, ...ends, ...rests, ...crash];
    case 'ready':
      return [done('handedBack'), ...crash];
    case 'running':
      return [returns, ...fails, ...spends, ...(menu.rests ? [rest('run')] : []), ...crash];
    case 'resting':
      return [wants, ...crash];
    default:
      return [...ends, ...rests, ...crash];
  }
}

const without = (children: Ghost['children'], gone: string): Ghost['children'] =>
  Object.fromEntries(Object.entries(children).filter(([key]) => key !== gone));

/** `notification:agent-e/a` is of the session `agent-e/a`. */
export const sessionIn = (name: string): string => name.replace(/^(?:notification|beat):/, '');

/** What delivery's own steps leave behind. */
export function react({ to, effects, after }: Omit<DeliveryEdge, 'before'>): Ghost {
  const ghost = effects.reduce(reactTo, after);
  return gateOf(to) === 'trial' ? ghost : { ...ghost, trialOn: null };
}

function reactTo(ghost: Ghost, effect: Effect): Ghost {
  if (effect.kind === 'spawn' && effect.src === 'listUndelivered') {
    return { ...ghost, asked: (effect.input as { limit: number }).limit, told: false };
  }
  if (effect.kind === 'spawn' && (effect.src === 'trouble' || effect.src === 'tellRest')) return ghost;
  if (effect.kind === 'spawn') {
    return { ...ghost, children: { ...ghost.children, [sessionIn(effect.id)]: 'preparing' } };
  }
  if (effect.kind === 'send' && effect.event.type === 'slot.granted') {
    const key = sessionIn(effect.to);
    const granted: Ghost = { ...ghost, children: { ...ghost.children, [key]: 'running' } };
    return effect.event.trial === true
      ? { ...granted, twoTrials: ghost.twoTrials || ghost.trialOn !== null, trialOn: key }
      : granted;
  }
  return ghost;
}

/** All that decides what delivery does next; counters and texts are only shown. */
export function keyOf(snapshot: DeliverySnapshot, ghost: Ghost): string {
  const { value, context } = snapshot;
  const { queue, trials, setAside, beaters, watched, poll } = context;
  const isPolling = callsOf(snapshot).length > 0;
  const sessions = queue.sessions.map(({ key, phase, items, alone }) => [
    key,
    phase,
    items.map(itemId),
    alone,
  ]);
  return JSON.stringify([
    [value, sessions, trials, [...setAside].sort(), isPolling && [...poll.settled].sort(), poll.more],
    [
      Math.min(poll.failures, 1),
      Object.keys(beaters),
      ghost.undelivered,
      Object.entries(ghost.children).sort(),
    ],
    [isPolling && ghost.asked, ghost.trialOn, ghost.crashes, ghost.beats],
    [watched, isPolling && poll.changed, ghost.watched, ghost.coming, ghost.told],
    [Object.entries(context.troubles).sort(), context.passedBy, ghost.failures],
    [Object.entries(context.outOfTokens).map(([id, { told }]) => [id, told]), ghost.spends],
    notesOf(snapshot),
  ]);
}

/**
 * A queue of rows, lanes that report and a gate that moves, as delivery's walk needs them: what delivery may hear next,
 * and what it has given out so far.
 */
import type { EventObject, SnapshotFrom } from 'xstate';
import type { Outcome } from '../lane/job.ts';
import { callDone, callFailed, callsOf, timersOf, type Edge, type Move } from '../../test/kits/explore.ts';
import { Fault } from '../shared/fault.ts';
import type { NotificationRow } from '../shared/mission-control.ts';
import { createListener, sampleAgent, sampleRow } from '../../test/kits/samples/mission-control.ts';
import type { BeatAnswer } from './context.ts';
import { laneOf } from './line.ts';
import type { deliveryMachine } from './machine.ts';

export type DeliverySnapshot = SnapshotFrom<typeof deliveryMachine>;
export type DeliveryEdge = Edge<typeof deliveryMachine, Ghost>;

export interface Ghost {
  /** Convex's queue, by id, oldest first. */
  undelivered: readonly string[];
  /** The lanes that are up, and what they are at. */
  lanes: Readonly<Record<string, 'waiting' | 'working' | 'resting'>>;
  /** How many rows were asked for. */
  asked: number;
  /** The lane that has the trial of this trial time. */
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
}

export const ROWS: readonly NotificationRow[] = [
  sampleRow({ _id: 'a1', taskId: 'a', createdAt: 1 }),
  sampleRow({ _id: 'b1', taskId: 'b', createdAt: 2 }),
  sampleRow({ _id: 'a2', taskId: 'a', createdAt: 3 }),
  sampleRow({ _id: 'c1', taskId: 'c', createdAt: 4 }),
];

const heartbeat = createListener<BeatAnswer>().parent;

export interface Menu {
  outcomes: readonly Outcome[];
  gate: readonly EventObject[];
  leaves: boolean;
  listFails: boolean;
}

export const AVAILABLE = { type: 'gateway.available' };
export const TRIAL = { type: 'gateway.trial' };
export const LOST = { type: 'gateway.lost', excused: false };

export const gateOf = ({ value }: DeliverySnapshot): string =>
  typeof value === 'string' ? 'none' : value.active.gate;

export const isAccepting = ({ value }: DeliverySnapshot): boolean =>
  typeof value !== 'string' && value.active.mode === 'accepting';

export function movesOf(menu: Menu) {
  return (snapshot: DeliverySnapshot, ghost: Ghost): Move<Ghost>[] => [
    ...callsOf(snapshot).flatMap(({ id }) => answers(id, ghost, menu)),
    ...timersOf(snapshot).map((event) => ({ label: event.type.split('.')[2] ?? 'time', event, ghost })),
    ...menu.gate.map((event) => ({ label: event.type, event, ghost })),
    ...Object.keys(ghost.lanes).flatMap((key) => newsOf(key, snapshot, ghost, menu)),
    ...snapshot.context.setAside.map((id) => hear({ type: 'row.reconsider', id }, ghost)),
    ...(snapshot.context.sweepComes ? [hear({ type: 'lanes.sweep' }, ghost)] : []),
    ...(menu.leaves ? [hear({ type: 'delivery.drain' }, ghost)] : []),
    ...(menu.leaves && !isAccepting(snapshot) ? [hear({ type: 'delivery.abort' }, ghost)] : []),
    ...(menu.listFails
      ? [hear({ type: 'backend.available' }, ghost), hear({ type: 'delivery.poll' }, ghost)]
      : []),
    ...watchMoves(ghost),
    ...(ghost.beats > 0
      ? [
          hear(
            { type: 'beat.due', agent: sampleAgent(), replyTo: heartbeat },
            { ...ghost, beats: ghost.beats - 1 },
          ),
        ]
      : []),
  ];
}

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

const hear = (event: EventObject & Record<string, unknown>, ghost: Ghost, detail = ''): Move<Ghost> => ({
  label: event.type + detail,
  event,
  ghost,
});

function answers(id: string, ghost: Ghost, menu: Menu): Move<Ghost>[] {
  const rows = ROWS.filter((row) => ghost.undelivered.includes(row._id)).slice(0, ghost.asked);
  return [
    { label: 'the list', event: callDone(id, { rows, unseen: false }), ghost },
    ...(menu.listFails
      ? (['backendUnavailable', 'backendRefused'] as const).map((kind) => ({
          label: `no list: ${kind}`,
          event: callFailed(id, new Fault(kind, 'no list')),
          ghost,
        }))
      : []),
  ];
}

const MARKED: ReadonlySet<Outcome> = new Set([
  'delivered',
  'silent',
  'skipped',
  'unanswered',
  'parked',
  'already',
]);

function newsOf(key: string, snapshot: DeliverySnapshot, ghost: Ghost, menu: Menu): Move<Ghost>[] {
  const lane = laneOf(snapshot.context.line, key);
  const head = lane?.jobs[0];
  const at = ghost.lanes[key];
  const id = head?.kind === 'notification' ? head.row._id : key;
  const trialOn = ghost.trialOn === key ? null : ghost.trialOn;
  const become = (state: 'waiting' | 'resting'): Ghost => ({
    ...ghost,
    trialOn,
    lanes: { ...ghost.lanes, [key]: state },
  });
  const settled = (outcome: Outcome): Move<Ghost> => {
    const after = become('waiting');
    const late = outcome === 'left' ? [...ghost.late, id] : ghost.late;
    const undelivered = after.undelivered.filter((one) => one !== id || !MARKED.has(outcome));
    const event = {
      type: 'lane.settled',
      key,
      jobId: jobIdOf(head),
      outcome,
      attempt: 1,
      runMs: 1,
      reason: null,
    };
    return hear(event, { ...after, undelivered, late }, ` ${outcome} ${id}`);
  };
  const crash = callFailed(lane?.actorId ?? '', new Error('a bug in a lane'));
  const others = without(ghost.lanes, key);
  const crashes =
    ghost.crashes > 0
      ? [
          {
            label: `crash of ${key}`,
            event: crash,
            ghost: {
              ...ghost,
              trialOn,
              lanes: others,
              late: head === undefined ? ghost.late : [...ghost.late, id],
              crashes: ghost.crashes - 1,
            },
          },
        ]
      : [];
  if (at === 'working') {
    return [
      ...menu.outcomes.map(settled),
      hear({ type: 'lane.resting', key, reason: null }, become('resting')),
      ...crashes,
    ];
  }
  if (at === 'resting')
    return [...menu.outcomes.map(settled), hear({ type: 'lane.ready', key }, become('waiting'))];
  return crashes;
}

type Head = DeliverySnapshot['context']['line']['lanes'][number]['jobs'][number] | undefined;

const jobIdOf = (head: Head): string =>
  head === undefined ? 'none' : head.kind === 'notification' ? head.row._id : `beat:${head.agent._id}`;

const without = (lanes: Ghost['lanes'], gone: string): Ghost['lanes'] =>
  Object.fromEntries(Object.entries(lanes).filter(([key]) => key !== gone));

/** What delivery's own steps leave behind. */
export function react({ to, effects, after }: Omit<DeliveryEdge, 'before'>): Ghost {
  let ghost = after;
  for (const effect of effects) {
    if (effect.kind === 'spawn' && effect.src === 'lane') {
      ghost = { ...ghost, lanes: { ...ghost.lanes, [effect.id]: 'waiting' } };
    }
    if (effect.kind === 'spawn' && effect.src === 'listUndelivered') {
      ghost = { ...ghost, asked: (effect.input as { limit: number }).limit, told: false };
    }
    if (effect.kind === 'send' && effect.event.type === 'lane.go') {
      ghost = { ...ghost, lanes: { ...ghost.lanes, [effect.to]: 'working' } };
      if (effect.event.trial === true) {
        ghost = { ...ghost, twoTrials: ghost.twoTrials || ghost.trialOn !== null, trialOn: effect.to };
      }
    }
    if (effect.kind === 'stop') {
      ghost = { ...ghost, lanes: without(ghost.lanes, effect.id) };
    }
  }
  return gateOf(to) === 'trial' ? ghost : { ...ghost, trialOn: null };
}

/** All that decides what delivery does next; counters and texts are only shown. */
export function keyOf(snapshot: DeliverySnapshot, ghost: Ghost): string {
  const { value, context } = snapshot;
  const { line, trialKey, setAside, beaters, watched, poll } = context;
  const isPolling = callsOf(snapshot).length > 0;
  const lanes = line.lanes.map(({ key, phase, alive, jobs }) => [key, phase, alive, jobs.map(jobIdOf)]);
  return JSON.stringify([
    [value, lanes, trialKey, [...setAside].sort(), isPolling && [...poll.settled].sort(), poll.more],
    [Math.min(poll.failures, 1), Object.keys(beaters), ghost.undelivered, Object.entries(ghost.lanes).sort()],
    [isPolling && ghost.asked, ghost.trialOn, ghost.crashes, ghost.beats],
    [watched, isPolling && poll.changed, ghost.watched, ghost.coming, ghost.told],
  ]);
}

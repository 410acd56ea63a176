/**
 * Mission Control, the gateway and the journal in memory, for delivery and its lanes as running actors. Every call
 * stays open until the test answers it, well or not: the test is the schedule. What must never happen is noted down.
 */
import { createActor, fromPromise, SimulatedClock, type InputFrom, type OutputFrom } from 'xstate';
import type { laneActors } from '../lane/actors.ts';
import { hasMoved, isOwed, NOTHING_KNOWN, versionOf, type LaneEntry } from '../lane/context.ts';
import { laneMachine } from '../lane/machine.ts';
import { MAX_ATTEMPTS, MAX_SILENT_ATTEMPTS } from '../lane/setup.ts';
import { Fault, isAttempt, type FaultKind } from '../shared/fault.ts';
import type { DeliveryContext, NotificationRow } from '../shared/mission-control.ts';
import { sampleContext, sampleRow, sampleTask } from '../../test/kits/samples/mission-control.ts';
import type { ListInput, Page } from './context.ts';
import { deliveryInput } from './input.test-kit.ts';
import { deliveryMachine, type DeliveryActor } from './machine.ts';
import type { DeliverySnapshot } from './world.test-kit.ts';

/** A call that waits for its answer. */
interface OpenCall {
  name: string;
  succeed: () => void;
  fail: (kind: FaultKind) => void;
}

export const LIMITS = { baseMs: 1_000, capMs: 8_000 };
export const SETTINGS = {
  intervalMs: 15_000,
  backend: LIMITS,
  session: LIMITS,
  maxConcurrentSessions: 2,
  listLimit: 2,
};

export interface Surroundings {
  rows: Map<string, NotificationRow>;
  journal: Map<string, LaneEntry>;
  /** Calls that wait for their answer, the oldest first. */
  calls: OpenCall[];
  /** Everything that must not happen and did. */
  wrongs: string[];
  /** Rows in the order in which they were marked, each once. */
  marks: string[];
  /** Marked, with a message that came right before the mark and has still to be answered. */
  overtaken: Set<string>;
  /** The backend brings rows to their end in one call. */
  completes: boolean;
  /** What the agent answers. */
  agentSays: string;
  /** Notes are a courtesy: one that the backend refuses does not hold up the mark. */
  noteRefused: Set<string>;
  /** Rows that a newer message has moved back, or that delivery has left alone for a while: out of order by right. */
  outOfOrder: Set<string>;
  /** The row that runs on each session. */
  running: Map<string, string>;
  /** Runs without a word, for each version of a row. */
  silences: Map<string, number>;
  /** The backend's clock. */
  clockMs: number;
}

/** A queue of rows, one for each number, which names its session. */
export const createSurroundings = (sessions: readonly number[]): Surroundings => ({
  rows: new Map(sessions.map((session, i) => [`n${i}`, createRow(`n${i}`, session, i)])),
  journal: new Map(),
  calls: [],
  wrongs: [],
  marks: [],
  overtaken: new Set(),
  completes: false,
  agentSays: 'Done.',
  noteRefused: new Set(),
  outOfOrder: new Set(),
  running: new Map(),
  silences: new Map(),
  clockMs: sessions.length,
});

const createRow = (id: string, session: number, createdAt: number): NotificationRow =>
  sampleRow({ _id: id, type: 'thread_update', taskId: `task-${session}`, createdAt, messageId: `m-${id}` });

/** A newer message is coalesced into a row, where it is undelivered. */
export function moveRow(around: Surroundings, id: string): void {
  const row = around.rows.get(id);
  if (row === undefined || row.deliveredAt !== undefined) return;
  around.clockMs += 1;
  around.outOfOrder.add(id);
  around.rows.set(id, { ...row, createdAt: around.clockMs, messageId: `m${around.clockMs}` });
}

/** A new row comes into the queue. */
export function addRow(around: Surroundings, session: number): void {
  around.clockMs += 1;
  const id = `n${around.rows.size}`;
  around.rows.set(id, createRow(id, session, around.clockMs));
}

/** A call that the schedule answers: `work` is what it does when it succeeds, `fails` what its failure leaves. */
export function open<TOutput>(
  { calls }: Pick<Surroundings, 'calls'>,
  name: string,
  signal: AbortSignal,
  work: () => TOutput,
  fails: (kind: FaultKind) => void = () => undefined,
): Promise<TOutput> {
  return new Promise((resolve, reject) => {
    const close = () => calls.splice(calls.indexOf(call), 1);
    const call: OpenCall = {
      name,
      succeed: () => {
        close();
        resolve(work());
      },
      fail: (kind) => {
        close();
        fails(kind);
        reject(new Fault(kind, `${name} failed: ${kind}`));
      },
    };
    calls.push(call);
    signal.addEventListener('abort', () => {
      if (calls.includes(call)) call.fail('aborted');
    });
  });
}

const entryOf = ({ journal }: Surroundings, id: string): LaneEntry => journal.get(id) ?? NOTHING_KNOWN;

function contextOf({ rows }: Surroundings, id: string): DeliveryContext | null {
  const row = rows.get(id);
  if (row === undefined) return null;
  const task = sampleTask({ _id: row.taskId ?? '' });
  return sampleContext({ notification: row, task, deliverySessionKey: `session:${task._id}` });
}

type Actors = typeof laneActors;
type Io<TName extends keyof Actors> = (args: {
  input: InputFrom<Actors[TName]>;
  signal: AbortSignal;
}) => Promise<OutputFrom<Actors[TName]>>;

/** What is to hold whenever a run starts. */
function checkStart(
  around: Surroundings,
  delivery: DeliveryContext,
  snapshot: DeliverySnapshot | null,
): void {
  const { notification: row, deliverySessionKey: session = '' } = delivery;
  const { wrongs, rows, running, outOfOrder } = around;
  const value = snapshot?.value ?? 'drained';
  const { gate, mode } = typeof value === 'string' ? { gate: 'closed', mode: 'draining' } : value.active;
  if (gate === 'closed') wrongs.push(`${row._id} runs while the gate is closed`);
  if (mode === 'draining') wrongs.push(`${row._id} runs while delivery leaves`);
  const other = running.get(session);
  if (other !== undefined) wrongs.push(`${row._id} runs beside ${other} on one session`);
  const { attempts, answered } = entryOf(around, row._id);
  if (attempts >= MAX_ATTEMPTS) wrongs.push(`${row._id} is tried once more after ${attempts} attempts`);
  const older = [...rows.values()].find(
    (one) => one.taskId === row.taskId && one.createdAt < row.createdAt && one.deliveredAt === undefined,
  );
  const isFirst = attempts === 0 && answered === null && !outOfOrder.has(row._id);
  if (isFirst && older !== undefined && !outOfOrder.has(older._id)) {
    wrongs.push(`${row._id} runs before ${older._id}`);
  }
}

function createRun(around: Surroundings, look: () => DeliverySnapshot | null): Io<'runAgent'> {
  const { journal, running, silences, wrongs } = around;
  return ({ input: { delivery, trial }, signal }) => {
    if (delivery === null) throw new Error('a run without a row');
    const { notification: row, deliverySessionKey: session = '' } = delivery;
    checkStart(around, delivery, look());
    const attempts = entryOf(around, row._id).attempts + 1;
    journal.set(row._id, { ...entryOf(around, row._id), attempts });
    running.set(session, row._id);
    const work = () => {
      running.delete(session);
      const reply = { text: around.agentSays, toolCalls: 0 };
      journal.set(row._id, { ...entryOf(around, row._id), reply: { ...reply, version: versionOf(row) } });
      const version = `${row._id}@${row.createdAt}`;
      const silent = (silences.get(version) ?? 0) + (reply.text === '' ? 1 : 0);
      silences.set(version, silent);
      if (silent > MAX_SILENT_ATTEMPTS) wrongs.push(`${version} is silent ${silent} times`);
      return { reply, attempts, runMs: 1 };
    };
    return open(around, 'runAgent', signal, work, (kind) => {
      running.delete(session);
      const entry = entryOf(around, row._id);
      if (!isAttempt(kind) || trial) journal.set(row._id, { ...entry, attempts: entry.attempts - 1 });
    });
  };
}

function createPost(around: Surroundings): Io<'postMessage'> {
  return ({ input: { row, version, content, withSource, quiet }, signal }) => {
    if (row === null || version === null) throw new Error('a message without a row');
    const { wrongs, journal, noteRefused } = around;
    const work = () => {
      const { posts, answered, reply } = entryOf(around, row._id);
      if (withSource !== (posts === 0)) wrongs.push(`${row._id} is posted with the wrong source`);
      if (!quiet && answered?.createdAt === version.createdAt) wrongs.push(`${row._id} is answered twice`);
      if (!quiet && content !== reply?.text) wrongs.push(`${row._id} is answered with another text`);
      journal.set(row._id, { attempts: 0, posts: posts + 1, answered: version, reply: null });
    };
    return open(around, 'postMessage', signal, work, () => {
      if (quiet) noteRefused.add(row._id);
    });
  };
}

/** All of it or, when it fails, nothing. */
function createCompletion(around: Surroundings): Io<'completeDelivery'> {
  const { rows, journal, wrongs, marks, overtaken } = around;
  return ({ input: { row: asked, version, content, withSource }, signal }) => {
    if (asked === null || version === null) throw new Error('a completion without a row');
    const { _id: id } = asked;
    const work = () => {
      const row = rows.get(id);
      if (row === undefined) throw new Error(`there is no row ${id}`);
      const { posts, answered, reply } = entryOf(around, id);
      if (withSource !== (posts === 0)) wrongs.push(`${id} is completed with the wrong source`);
      if (content !== null && answered?.createdAt === version.createdAt)
        wrongs.push(`${id} is answered twice`);
      if (content !== null && content !== reply?.text) wrongs.push(`${id} is answered with another text`);
      if (hasMoved(row, version)) {
        if (content !== null) {
          journal.set(id, { attempts: 0, posts: posts + 1, answered: version, reply: null });
        }
        return contextOf(around, id);
      }
      if (row.deliveredAt === undefined) marks.push(id);
      rows.set(id, { ...row, deliveredAt: around.clockMs });
      overtaken.delete(id);
      journal.delete(id);
      return null;
    };
    return open(around, 'completeDelivery', signal, work);
  };
}

function createMark(around: Surroundings): Io<'markDelivered'> {
  const { rows, journal, wrongs, marks, overtaken, noteRefused } = around;
  return ({ input: { notificationId: id, version }, signal }) =>
    open(around, 'markDelivered', signal, () => {
      const row = rows.get(id);
      if (row === undefined) throw new Error(`there is no row ${id}`);
      const { answered, reply } = entryOf(around, id);
      const isDone = answered !== null || reply?.text === 'HEARTBEAT_OK' || noteRefused.has(id);
      if (!isDone) wrongs.push(`${id} is marked before anything was posted`);
      if (row.deliveredAt === undefined) marks.push(id);
      rows.set(id, { ...row, deliveredAt: around.clockMs });
      if (version !== null && hasMoved(row, version)) {
        overtaken.add(id);
        journal.set(id, { ...entryOf(around, id), answered: version });
        return contextOf(around, id);
      }
      overtaken.delete(id);
      journal.delete(id);
      return null;
    });
}

function createHandBack(around: Surroundings): Io<'handBack'> {
  return ({ input: { notificationId: id, refund }, signal }) => {
    const entry = entryOf(around, id);
    if (refund && entry.attempts === 0)
      around.wrongs.push(`${id} takes back an attempt that it does not have`);
    if (refund) around.journal.set(id, { ...entry, attempts: Math.max(0, entry.attempts - 1) });
    return open(around, 'handBack', signal, () => undefined);
  };
}

/** Delivery with these surroundings; `look` says where it stands as a run starts. */
export function deliveryAmong(around: Surroundings, look: () => DeliverySnapshot | null) {
  const loadJob: Io<'loadJob'> = ({ input: { notificationId: id }, signal }) =>
    open(around, 'loadJob', signal, () => ({
      entry: entryOf(around, id),
      delivery: contextOf(around, id),
      completes: around.completes,
    }));
  const rereadRow: Io<'rereadRow'> = ({ input: { notificationId: id }, signal }) =>
    open(around, 'rereadRow', signal, () => contextOf(around, id));
  const beat: Io<'beat'> = ({ signal }) => open(around, 'beat', signal, () => ({ runMs: 1 }));
  const rows = () => [...around.rows.values()].sort((a, b) => a.createdAt - b.createdAt);
  const undelivered = () => rows().filter((row) => row.deliveredAt === undefined);
  /** As src/actors/list-undelivered.ts does. */
  const owed = () =>
    rows().filter((row) => row.deliveredAt !== undefined && isOwed(row, entryOf(around, row._id)));
  return deliveryMachine.provide({
    actors: {
      lane: laneMachine.provide({
        actors: {
          loadJob: fromPromise(loadJob),
          runAgent: fromPromise(createRun(around, look)),
          completeDelivery: fromPromise(createCompletion(around)),
          postMessage: fromPromise(createPost(around)),
          rereadRow: fromPromise(rereadRow),
          markDelivered: fromPromise(createMark(around)),
          handBack: fromPromise(createHandBack(around)),
          beat: fromPromise(beat),
        },
      }),
      listUndelivered: fromPromise<Page, ListInput>(({ input: { limit }, signal }) =>
        open(around, 'listUndelivered', signal, () => ({
          rows: [...undelivered().slice(0, limit), ...owed()],
          unseen: false,
        })),
      ),
    },
  });
}

/** Delivery alone, running, with its gate open. */
export function startDelivery(sessions: readonly number[], completes = false) {
  const around = { ...createSurroundings(sessions), completes };
  const clock = new SimulatedClock();
  const machine = deliveryAmong(around, () => actor.getSnapshot());
  const actor: DeliveryActor = createActor(machine, {
    clock,
    input: deliveryInput({ settings: SETTINGS }),
  });
  actor.start();
  return { around, actor, clock };
}

export type Schedule = ReturnType<typeof startDelivery>;

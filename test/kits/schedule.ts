/**
 * Mission Control, the gateway and the journal in memory, for delivery and its children as running actors. Every call
 * stays open until the test answers it, well or not: the test is the schedule. What must never happen is noted down.
 */
import { NO_LIMITS } from '../../machines/shared/spending.ts';
import { createActor, fromPromise, SimulatedClock, type InputFrom, type OutputFrom } from 'xstate';
import type { BeatPlan } from '../../machines/beat/context.ts';
import { beatMachine } from '../../machines/beat/machine.ts';
import type { ListInput, Page } from '../../machines/delivery/context.ts';
import { deliveryMachine, type DeliveryActor } from '../../machines/delivery/machine.ts';
import type { notificationActors } from '../../machines/notification/actors.ts';
import {
  handedBack,
  isKept,
  isOwed,
  NOTHING_KNOWN,
  replied,
  type Entry,
} from '../../machines/notification/entry.ts';
import { hasMoved, versionOf } from '../../machines/notification/version.ts';
import { notificationMachine } from '../../machines/notification/machine.ts';
import { MAX_ATTEMPTS } from '../../machines/notification/failures.ts';
import { MAX_SILENT_ATTEMPTS } from '../../machines/notification/setup.ts';
import { Fault, type FaultKind } from '../../machines/shared/fault.ts';
import type { DeliveryContext, NotificationRow } from '../../machines/shared/mission-control.ts';
import { deliveryInput } from './delivery-input.ts';
import type { DeliverySnapshot } from './delivery-world.ts';
import { sampleContext, sampleRow, sampleTask } from './samples/mission-control.ts';

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
  runs: LIMITS,
  maxConcurrentSessions: 2,
  stallAfterMs: 300_000,
  tokenLimits: NO_LIMITS,
  listLimit: 2,
  chainLimit: 12,
};

export interface Surroundings {
  rows: Map<string, NotificationRow>;
  journal: Map<string, Entry>;
  /** Calls that wait for their answer, the oldest first. */
  calls: OpenCall[];
  /** What happened and must not happen, one sentence each. */
  wrongs: string[];
  /** Rows in the order in which they were marked, each once. */
  marks: string[];
  /** Versions of rows that a message answers. */
  posted: Set<string>;
  /** Marked, with a message that came right before the mark and has still to be answered. */
  overtaken: Set<string>;
  /** The backend brings rows to their end in one call. */
  completes: boolean;
  /** What the agent answers. */
  agentSays: string;
  /** Notes are a courtesy: one that the backend refuses does not hold up the mark. */
  noteRefused: Set<string>;
  /** Rows that may come out of order: a newer message has moved them back, or delivery has left them alone for a while. */
  outOfOrder: Set<string>;
  /** The row that runs on each session. */
  running: Map<string, string>;
  /** Runs without a word, for each version of a row. */
  silences: Map<string, number>;
  /** The backend's clock. */
  clockMs: number;
}

/** A queue with one row for each number; the number names its session. */
export const createSurroundings = (sessions: readonly number[]): Surroundings => ({
  rows: new Map(sessions.map((session, i) => [`n${i}`, createRow(`n${i}`, session, i)])),
  journal: new Map(),
  calls: [],
  wrongs: [],
  marks: [],
  posted: new Set(),
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

const entryOf = ({ journal }: Surroundings, id: string): Entry => journal.get(id) ?? NOTHING_KNOWN;

function keep({ journal }: Surroundings, id: string, entry: Entry): void {
  if (isKept(entry)) journal.set(id, entry);
  else journal.delete(id);
}

function contextOf({ rows }: Surroundings, id: string): DeliveryContext | null {
  const row = rows.get(id);
  if (row === undefined) return null;
  const task = sampleTask({ _id: row.taskId ?? '' });
  return sampleContext({ notification: row, task, deliverySessionKey: `session:${task._id}` });
}

type Actors = typeof notificationActors;
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
  if (mode !== 'accepting') wrongs.push(`${row._id} runs while delivery leaves`);
  const slots = snapshot?.context.settings.maxConcurrentSessions ?? 0;
  if (running.size >= slots) wrongs.push(`${row._id} runs beside ${running.size} others`);
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
  const { running, silences, wrongs } = around;
  return ({ input: { id, entry, delivery }, signal }) => {
    if (delivery === null) throw new Error('a run without a row');
    const { notification: row, deliverySessionKey: session = '' } = delivery;
    checkStart(around, delivery, look());
    if (entry.attempts === 0 || entry.runs === 0) wrongs.push(`${id} does not count its run`);
    keep(around, id, entry);
    running.set(session, id);
    const work = () => {
      running.delete(session);
      const reply = { text: around.agentSays, toolCalls: 0 };
      keep(around, id, replied(entry, reply, versionOf(row)));
      const version = `${id}@${row.createdAt}`;
      const silent = (silences.get(version) ?? 0) + (reply.text === '' ? 1 : 0);
      silences.set(version, silent);
      if (silent > MAX_SILENT_ATTEMPTS) wrongs.push(`${version} is silent ${silent} times`);
      return { reply, calls: [], runMs: 1 };
    };
    return open(around, 'runAgent', signal, work, () => running.delete(session));
  };
}

function postActors(around: Surroundings) {
  const { wrongs, posted, noteRefused } = around;
  const post =
    (name: 'postMessage' | 'postAgain'): Io<'postMessage'> =>
    ({ input: { row, entry, content, quiet }, signal }) => {
      const { _id: id } = row;
      if ((name === 'postMessage') !== (entry.posts === 0)) wrongs.push(`${id} is posted with the wrong id`);
      if (!quiet && content !== entry.reply?.text) wrongs.push(`${id} is answered with another text`);
      if (name === 'postAgain') keep(around, id, entry);
      const work = () => {
        const version = `${id}@${entry.reply?.version.createdAt ?? 'note'}`;
        if (!quiet && posted.has(version)) wrongs.push(`${version} is answered twice`);
        posted.add(version);
      };
      return open(around, name, signal, work, () => {
        if (quiet) noteRefused.add(id);
      });
    };
  return { postMessage: fromPromise(post('postMessage')), postAgain: fromPromise(post('postAgain')) };
}

/** All of it or, when it fails, nothing. */
function createCompletion(around: Surroundings): Io<'completeDelivery'> {
  const { rows, wrongs, posted } = around;
  return ({ input: { id, entry, version, content }, signal }) => {
    const work = () => {
      const row = rows.get(id);
      if (row === undefined) throw new Error(`there is no row ${id}`);
      const answered = `${id}@${version.createdAt}`;
      if (content !== null && posted.has(answered)) wrongs.push(`${answered} is answered twice`);
      if (content !== null && content !== entry.reply?.text)
        wrongs.push(`${id} is answered with another text`);
      if (content !== null) posted.add(answered);
      if (hasMoved(row, version)) return contextOf(around, id);
      mark(around, row);
      around.journal.delete(id);
      return null;
    };
    return open(around, 'completeDelivery', signal, work);
  };
}

function mark({ marks, rows, overtaken, clockMs }: Surroundings, row: NotificationRow): void {
  if (row.deliveredAt === undefined) marks.push(row._id);
  rows.set(row._id, { ...row, deliveredAt: clockMs });
  overtaken.delete(row._id);
}

function createMark(around: Surroundings): Io<'markDelivered'> {
  const { rows, journal, wrongs, posted, overtaken, noteRefused } = around;
  return ({ input: { id, entry, version }, signal }) => {
    if (version !== null) keep(around, id, entry);
    return open(around, 'markDelivered', signal, () => {
      const row = rows.get(id);
      if (row === undefined) throw new Error(`there is no row ${id}`);
      const isAnswered = [...posted].some((one) => one.startsWith(`${id}@`));
      const isDone = isAnswered || entry.reply?.text === 'HEARTBEAT_OK' || noteRefused.has(id);
      if (!isDone) wrongs.push(`${id} is marked before anything was posted`);
      mark(around, row);
      if (version !== null && hasMoved(row, version)) {
        overtaken.add(id);
        return contextOf(around, id);
      }
      journal.delete(id);
      return null;
    });
  };
}

const PLAN: BeatPlan = {
  isOrchestrator: false,
  tasks: [],
  leftOut: 0,
  focus: null,
  thread: [],
  acting: null,
};

/** Delivery with these surroundings; `look` says where it stands as a run starts. */
export function deliveryAmong(around: Surroundings, look: () => DeliverySnapshot | null) {
  const readContext: Io<'readContext'> = ({ input: { id }, signal }) =>
    open(around, 'readContext', signal, () => ({
      delivery: contextOf(around, id),
      completes: around.completes,
      typing: false,
    }));
  const rereadRow: Io<'rereadRow'> = ({ input: { id, entry }, signal }) => {
    keep(around, id, entry);
    return open(around, 'rereadRow', signal, () => contextOf(around, id));
  };
  const endTyping: Io<'endTyping'> = ({ input: { id, entry }, signal }) => {
    keep(around, id, entry);
    return open(around, 'endTyping', signal, () => undefined);
  };
  const handBack: Io<'handBack'> = ({ input: { id, entry }, signal }) => {
    keep(around, id, handedBack(around.journal.get(id) ?? null, entry));
    return open(around, 'handBack', signal, () => undefined);
  };
  const findMessage: Io<'findMessage'> = ({ input: { row, entry }, signal }) =>
    open(around, 'findMessage', signal, () => ({
      found: around.posted.has(`${row._id}@${entry.reply?.version.createdAt ?? 'note'}`),
      mayArriveForMs: 0,
    }));
  const rows = () => [...around.rows.values()].sort((a, b) => a.createdAt - b.createdAt);
  const undelivered = () => rows().filter((row) => row.deliveredAt === undefined);
  /** As src/actors/list.ts does. */
  const owed = () =>
    rows().filter((row) => row.deliveredAt !== undefined && isOwed(row, entryOf(around, row._id)));
  const beatCall = (name: string, output: unknown) =>
    fromPromise(({ signal }) => open(around, name, signal, () => output)) as never;
  return deliveryMachine.provide({
    actors: {
      notification: notificationMachine.provide({
        actors: {
          readContext: fromPromise(readContext),
          runAgent: fromPromise(createRun(around, look)),
          endTyping: fromPromise(endTyping),
          completeDelivery: fromPromise(createCompletion(around)),
          ...postActors(around),
          findMessage: fromPromise(findMessage),
          rereadRow: fromPromise(rereadRow),
          markDelivered: fromPromise(createMark(around)),
          handBack: fromPromise(handBack),
        },
      }),
      beat: beatMachine.provide({
        actors: {
          planBeat: beatCall('planBeat', PLAN),
          runBeat: beatCall('runBeat', { calls: [], message: null, runMs: 1 }),
          reportBeat: beatCall('reportBeat', undefined),
        },
      }),
      listUndelivered: fromPromise<Page, ListInput>(({ input: { limit }, signal }) =>
        open(around, 'listUndelivered', signal, () => ({
          rows: [...undelivered().slice(0, limit), ...owed()].map((row) => ({
            row,
            entry: around.journal.get(row._id) ?? null,
            given: null,
          })),
          listed: Math.min(limit, undelivered().length),
          unseen: false,
          cursor: null,
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

import type { ActorRef, Snapshot } from 'xstate';
import type { BackoffLimits } from '../shared/backoff.ts';
import type { ConditionChanged } from '../shared/condition.ts';
import type { Evidence, Gate, GateNews } from '../shared/evidence.ts';
import type { AgentRow, DeliveryContext, NotificationRow } from '../shared/mission-control.ts';
import type { StallNews } from '../shared/listening.ts';
import type { Spent, TokenLimits } from '../shared/spending.ts';
import type { Moment } from '../shared/moment.ts';
import type { Parent } from '../shared/parent.ts';
import type { ChildNews } from '../shared/child-messages.ts';
import type { BeatOutput } from '../beat/context.ts';
import type { NotificationOutput } from '../notification/context.ts';
import type { Thread } from '../notification/chatter.ts';
import type { Entry } from '../notification/entry.ts';
import type { TroubleNews } from '../trouble/machine.ts';
import type { History } from './history.ts';
import type { Queue } from './queue.ts';
import type { Troubles } from './scopes.ts';

export interface DeliverySettings {
  /** Longest idle poll, in milliseconds, while nothing else tells of new rows. */
  intervalMs: number;
  /** Backoff of polling, and of a single Convex call. */
  backend: BackoffLimits;
  /** Backoff of a notification's runs. */
  runs: BackoffLimits;
  maxConcurrentSessions: number;
  /** How many tokens an agent may use in a UTC day. */
  tokenLimits: TokenLimits;
  /** When a round has been silent for this long, /health names its run; milliseconds. */
  stallAfterMs: number;
  /** Rows to ask for beyond those already known. */
  listLimit: number;
  /** This many messages of agents in a row, without a word from a person, are chatter; 0 for no limit. */
  chainLimit: number;
}

export interface DeliveryInput {
  parent: Parent<DeliveryNews>;
  settings: DeliverySettings;
  /** Where the gate stands as delivery starts. */
  gate: Gate;
  /** Whether changes of the queue are announced (`queue.changed`) as delivery starts. */
  watched: boolean;
  /** Whether Convex has said what it offers beyond the contract. The first list depends on it. */
  offerKnown: boolean;
  /** A number in [0, 1). */
  random: () => number;
  /** What the agents have used today, as delivery starts. */
  spent: () => readonly Spent[];
  /** Wall clock in milliseconds, for what people see. No decision depends on it. */
  now: () => number;
  /** The present moment, for the journal. */
  moment: () => Moment;
}

/** What a look at the queue asks for. */
export interface ListInput {
  limit: number;
  /** There is room for this many runs: Convex may send their delivery contexts along. */
  contexts: number;
  /** Rows whose session has its turn already, by id: they need no context. */
  busy: readonly string[];
  /** The journal's row that the last look ended with: this one goes on after it. */
  cursor: string | null;
}

export interface PageRow {
  row: NotificationRow;
  /** What the journal has of it. */
  entry: Entry | null;
  /** Its delivery context, where Convex sent it along. */
  given: DeliveryContext | null;
}

/** What a look brings. */
export interface Page {
  /** Oldest first. */
  rows: readonly PageRow[];
  /** How many of them Convex has listed. The others come from the journal. */
  listed: number;
  /** There may be work that no change announces: rows of the journal that could not be read, or rows lent to another runtime. */
  unseen: boolean;
  cursor: string | null;
}

export type BeatAnswer =
  /** `focus`: the task that it was about, by id; null when there was none. */
  { type: 'beat.done'; focus: string | null } | { type: 'beat.refused' };

type Beater = ActorRef<Snapshot<unknown>, BeatAnswer>;

export type ChildOutput = NotificationOutput | BeatOutput;

/** The id of the item that the child was for. */
export const idOf = (output: ChildOutput): string =>
  output.kind === 'notification' ? output.id : `beat:${output.agentId}`;

/** How a child of delivery ended, read from the event that tells it; null for any other event. */
export function childOutputOf(event: { type: string }): ChildOutput | null {
  const output: unknown = 'output' in event ? event.output : null;
  if (!event.type.startsWith('xstate.done.actor.') || typeof output !== 'object' || output === null)
    return null;
  const isChild = 'kind' in output && (output.kind === 'notification' || output.kind === 'beat');
  return isChild ? (output as ChildOutput) : null;
}

export type DeliveryNews =
  | Evidence
  | ConditionChanged
  | Extract<StallNews, { type: 'run.stalled' }>
  /** An agent has used four fifths of its tokens of the day, or all of them. */
  | { type: 'tokens.low'; agent: string; tokens: number; limit: number }
  /** A child crashed: a bug of ours. Its row is looked at again later. */
  | { type: 'session.crashed'; session: string; title: string; reason: string }
  /** Convex answered again after a failure. */
  | { type: 'backend.available' };

/** What delivery hears about the queue that it has subscribed to. */
type QueueNews =
  /** From now on every change is announced. Delivery looks once for what came before. */
  | { type: 'queue.watched' }
  | { type: 'queue.unwatched' }
  /** Convex has something new. */
  | { type: 'queue.changed' };

export type DeliveryEvent =
  | GateNews
  | QueueNews
  | ChildNews
  | TroubleNews
  | { type: 'delivery.poll' }
  | { type: 'delivery.drain' }
  | { type: 'delivery.abort' }
  | { type: 'beat.due'; agent: AgentRow; seen: readonly string[]; replyTo: Beater }
  | { type: 'backend.available' }
  | { type: 'journal.available' }
  /** Convex was asked what it offers. */
  | { type: 'extensions.asked' }
  /** A child has ended: raised where its `done` event is handled, for the other regions. */
  | { type: 'session.settled'; output: ChildOutput }
  | { type: 'row.reconsider'; id: string; session: string }
  /** A held thread has been a problem on /health long enough. */
  | { type: 'chatter.aged'; taskId: string }
  | { type: 'contexts.aged' }
  /** The UTC day is over: the agent has its tokens again. */
  | { type: 'day.over'; agentId: string }
  /** Threads may have to be told that their agent rests. `moved`: rows that newer messages were coalesced into, by id. */
  | { type: 'rest.told'; moved: readonly string[] };

/** What the next look at the queue goes by. */
export interface Poll {
  /** Convex was asked what it offers beyond the contract: rows that it lends are lent from the first list on. */
  offerKnown: boolean;
  /** How many rows were requested. What is known may change before the answer comes. */
  asked: number;
  /** Whether Convex has rows that are not in the queue yet. */
  more: 'no' | 'yes' | 'pageExhausted';
  /** Slots were free and the largest page was full: rows may wait behind it, and people were told. */
  hidden: boolean;
  /** The queue has changed since the list was requested, so the answer may be older than the change. */
  changed: boolean;
  /** Rows that have ended since the list was requested. The answer may still show them. */
  settled: readonly string[];
  /** The page said that there may be work that no change announces. */
  unseen: boolean;
  cursor: string | null;
  /** How long the looks have brought nothing, in milliseconds. */
  silentMs: number;
  inMs: number;
  /** The shortest wait that Convex asked for (Retry-After), in milliseconds. */
  floorMs: number;
  /** Looks that failed in a row. */
  failures: number;
}

/** An agent that rests until the UTC day is over. */
export interface TokenRest {
  spent: Spent;
  /** Keys of sessions whose threads were told, or are being told. */
  told: readonly string[];
  /** Ids of rows that nobody waits for. */
  notDue: readonly string[];
}

/** The note that tells a thread that its agent rests. A thread gets it once, and only where an answer is due. */
export interface RestNote {
  session: string;
  /** The agent and its task: `engineer · Fix the login bug`. */
  title: string;
  notificationId: string;
}

export interface RestNoteOutput {
  kind: 'restNote';
  session: string;
  notificationId: string;
  /** `notDue`: nobody waits for the answer to this row. `failed`: the thread could not be told, and is tried again. */
  result: 'told' | 'notDue' | 'failed';
}

/** The gateway's trial runs. */
interface Trials {
  /** The session that has the trial; null when none is out. */
  session: string | null;
  /** Sessions that were tried since the trouble began, the last one last. */
  tried: readonly string[];
}

/** What delivery is given and never changes: in one object, because a context is copied with every change (docs/adr/0011). */
type Sources = Pick<DeliveryInput, 'random' | 'spent' | 'now' | 'moment'>;

export interface DispatchContext extends Omit<DeliveryInput, keyof Sources | 'offerKnown'> {
  sources: Sources;
  queue: Queue;
  /** Agents that have used up their tokens of the day, by id, and their sessions whose threads were told. */
  outOfTokens: Readonly<Record<string, TokenRest>>;
  trials: Trials;
  /** Whose trouble the latest failures may be. */
  troubles: Troubles;
  /** Threads in which agents answer each other, by task. */
  threads: Readonly<Record<string, Thread & { held: boolean }>>;
  /** Slots that were given while a session waited to run alone. */
  passedBy: number;
  /** Rows left alone for a while: gone, not ours, or impossible to mark. */
  setAside: readonly string[];
  /** Rows that were gone, or could not be marked, when they were last tried. */
  endedAside: readonly string[];
  beaters: Readonly<Record<string, Beater>>;
  /** The gateway machine has heard of a failed run, and of no successful one since. */
  gatewayInDoubt: boolean;
  poll: Poll;
  history: History;
}

export const freshPoll: Omit<Poll, 'offerKnown'> = {
  asked: 0,
  more: 'no',
  hidden: false,
  changed: false,
  settled: [],
  unseen: false,
  cursor: null,
  silentMs: 0,
  inMs: 0,
  floorMs: 0,
  failures: 0,
};

import type { ActorRef, Snapshot } from 'xstate';
import type { BackoffLimits } from '../shared/backoff.ts';
import type { ConditionChanged } from '../shared/condition.ts';
import type { Evidence, Gate, GateNews } from '../shared/evidence.ts';
import type { AgentRow, NotificationRow } from '../shared/mission-control.ts';
import type { Parent } from '../shared/parent.ts';
import type { Outcome } from '../lane/job.ts';
import type { LaneNews } from '../lane/context.ts';
import type { Line } from './line.ts';

/** The backend's own limit on a page (contract, section 4). */
export const MAX_PAGE = 500;

export interface DeliverySettings {
  /** Longest idle poll, in milliseconds, while nothing else tells of new rows. */
  intervalMs: number;
  /** Backoff of polling, and of a single Convex call. */
  backend: BackoffLimits;
  /** Backoff of a session's runs. */
  session: BackoffLimits;
  maxConcurrentSessions: number;
  /** Rows to ask for beyond those already known. */
  listLimit: number;
}

export interface DeliveryInput {
  parent: Parent<DeliveryNews>;
  settings: DeliverySettings;
  /** Where the gate stands as delivery starts. */
  gate: Gate;
  /** Whether a change of the queue is told (`queue.changed`) as delivery starts. */
  watched: boolean;
  /** A number in [0, 1). */
  random: () => number;
  /** Wall clock in milliseconds, for what is shown; nothing is decided by it. */
  now: () => number;
}

/** What a look at the queue asks for. */
export interface ListInput {
  limit: number;
  /** For so many runs there is room: their delivery contexts may come along. */
  contexts: number;
  /** Rows that have their turn already, by id: their sessions need no context. */
  busy: readonly string[];
}

/** What a look brings: the rows, oldest first, and whether some that the journal has could not be looked at this time. */
export interface Page {
  rows: readonly NotificationRow[];
  unseen: boolean;
}

export type BeatAnswer = { type: 'beat.done' } | { type: 'beat.refused' };

export type Beater = ActorRef<Snapshot<unknown>, BeatAnswer>;

export type DeliveryNews =
  | Evidence
  | ConditionChanged
  /** A lane crashed: a bug of ours. Its row is looked at again later. */
  | { type: 'lane.crashed'; key: string; reason: string }
  /** Convex answered again after a failure. */
  | { type: 'backend.available' };

/** What delivery hears of a queue that it is subscribed to. */
export type QueueNews =
  /** A change is told from now on; what came before is to be looked for. */
  | { type: 'queue.watched' }
  | { type: 'queue.unwatched' }
  /** Convex has something new. */
  | { type: 'queue.changed' };

export type DeliveryEvent =
  | GateNews
  | QueueNews
  | LaneNews
  | { type: 'delivery.poll' }
  | { type: 'delivery.drain' }
  | { type: 'delivery.abort' }
  | { type: 'beat.due'; agent: AgentRow; replyTo: Beater }
  | { type: 'backend.available' }
  | { type: 'journal.available' }
  | { type: 'row.reconsider'; id: string }
  | { type: 'lanes.sweep' };

/** What the next look at the queue goes by. */
export interface Poll {
  /** Rows asked for: what is known may change until the answer comes. */
  asked: number;
  /** Whether Convex has rows that are not in the line yet. */
  more: 'no' | 'yes' | 'pageExhausted';
  /** The queue changed since the list was asked for: the answer may be older than the change. */
  changed: boolean;
  /** Rows settled since the list was asked for: the answer may still show them. */
  settled: readonly string[];
  /** The journal has rows that could not be looked at: nobody else will tell of them. */
  unseen: boolean;
  /** Looks in a row that brought nothing. */
  idlePolls: number;
  inMs: number;
  /** Convex's word (Retry-After) on the shortest wait, in milliseconds. */
  floorMs: number;
  /** Looks that failed in a row. */
  failures: number;
}

/** What has been, for people: nothing is decided by it. */
export interface History {
  lastErrorAt: number | null;
  lastErrorMessage: string | null;
  lastDeliveryAt: number | null;
  counts: Readonly<Record<Outcome, number>>;
  failedRuns: number;
  recentParks: readonly { at: number; reason: string }[];
}

/** In parts, and none large: docs/adr/0011 says why. */
export interface DeliveryContext extends DeliveryInput {
  line: Line;
  /** Lanes with nothing to do are looked for soon. */
  sweepComes: boolean;
  /** The lane whose run is the gateway's trial. */
  trialKey: string | null;
  /** Rows left alone for a while: gone, not ours, or impossible to mark. */
  setAside: readonly string[];
  beaters: Readonly<Record<string, Beater>>;
  /** The gateway was told of a run that failed, and of none that succeeded since. */
  gatewayInDoubt: boolean;
  poll: Poll;
  history: History;
}

const NO_COUNTS: History['counts'] = {
  delivered: 0,
  silent: 0,
  skipped: 0,
  unanswered: 0,
  parked: 0,
  already: 0,
  left: 0,
  released: 0,
  stuck: 0,
  beaten: 0,
  beatFailed: 0,
};

export const freshPoll: Poll = {
  asked: 0,
  more: 'no',
  changed: false,
  settled: [],
  unseen: false,
  idlePolls: 0,
  inMs: 0,
  floorMs: 0,
  failures: 0,
};

export const noHistory: History = {
  lastErrorAt: null,
  lastErrorMessage: null,
  lastDeliveryAt: null,
  counts: NO_COUNTS,
  failedRuns: 0,
  recentParks: [],
};

import type { BackoffLimits } from '../shared/backoff.ts';
import type { Evidence } from '../shared/evidence.ts';
import type { DeliveryContext, NotificationRow } from '../shared/mission-control.ts';
import type { Parent } from '../shared/parent.ts';
import type { Job, Outcome } from './job.ts';
import type { NoteReason } from './notes.ts';
import type { LaneReply } from './reply.ts';

export interface LaneInput {
  parent: Parent<LaneNews>;
  /** The lane's name in the whole system, `lane:<agent>/<task>`. */
  key: string;
  /** Backoff of this session's runs. */
  session: BackoffLimits;
  /** Backoff of a single Convex call. */
  backend: BackoffLimits;
  /** A number in [0, 1). */
  random: () => number;
}

export type LaneSettled = Extract<LaneNews, { type: 'lane.settled' }>;

/** What a lane tells delivery. */
export type LaneNews =
  | Evidence
  /** The job is over. */
  | {
      type: 'lane.settled';
      key: string;
      jobId: string;
      outcome: Outcome;
      attempt: number;
      /** Length of the last run in milliseconds; null when there was none. */
      runMs: number | null;
      reason: string | null;
      /** Why it was given up; null when it was not, or when not even the row could be read. */
      note: NoteReason | null;
    }
  /** The lane rests and gives its slot away; the job is still its own. */
  | { type: 'lane.resting'; key: string; reason: string | null }
  /** The lane has rested and wants a slot. */
  | { type: 'lane.ready'; key: string };

export type LaneEvent =
  /** `next`: the notification behind this job, as far as it is known now. */
  | { type: 'lane.go'; job: Job; trial: boolean; next: string | null }
  /** The gate closed: no new run. `excused`: what fails from now on is not this session's fault. */
  | { type: 'lane.hold'; excused: boolean }
  /** We are leaving: no new run, finish what is under way. */
  | { type: 'lane.drain' }
  /** The time to finish is over. */
  | { type: 'lane.abort' }
  /** A sign that Convex is back. */
  | { type: 'backend.available' };

/** What the journal knows of a notification (src/journal). */
export interface LaneEntry {
  attempts: number;
  reply: (LaneReply & { version: RowVersion }) | null;
  posts: number;
  answered: RowVersion | null;
}

export interface RowVersion {
  messageId: string | null;
  createdAt: number;
}

/** What the lane knows of the job in hand. */
export interface Work {
  delivery: DeliveryContext | null;
  entry: LaneEntry;
  /** The row version that the run answers. */
  version: RowVersion | null;
  reply: LaneReply | null;
  outcome: Outcome;
  /** The backend brings rows to their end in one call. */
  completes: boolean;
  note: NoteReason | null;
  /** No new run may start; the job goes back where it is not past its run. */
  held: boolean;
  excused: boolean;
  /** The last run failed and was counted: an agent that is unknown, and a silence, are not. */
  counted: boolean;
  /** The last attempt is taken back as the job is handed back. */
  refund: boolean;
  /** A newer message came in the moment before the mark: the row is delivered, and has it still to be answered. */
  reopened: boolean;
  /** Convex calls that failed in a row, for the backoff. */
  stepFailures: number;
  /** Convex functions that failed on this very row; at five it is given up. */
  rowFailures: number;
  retryInMs: number;
  floorMs: number;
  runMs: number | null;
  reason: string | null;
}

/** In two parts, and neither large: docs/adr/0011 says why. */
export interface LaneContext extends LaneInput {
  job: Job | null;
  work: Work;
  /** This run is the gateway's trial: its failure counts for the gateway, not for the row. */
  trial: boolean;
  /** The session's notification after this one, if there is one. */
  next: string | null;
  /** A kept reply is not to be used again: it was empty, or the row has moved since. */
  discardReply: boolean;
  draining: boolean;
  /** The lane has rested since it was let go, so its slot is another's: it may finish, but not run. */
  slotless: boolean;
  /** Runs that failed in a row, for the backoff. */
  failures: number;
  /** How long this agent has been unknown to the gateway, in milliseconds. */
  unknownForMs: number;
}

export const versionOf = (row: NotificationRow): RowVersion => ({
  messageId: row.messageId ?? null,
  createdAt: row.createdAt,
});

/** A coalesced message moves the row (contract, section 7): what was answered is not all there is. */
export const hasMoved = (row: NotificationRow, version: RowVersion): boolean =>
  !isSameVersion(versionOf(row), version);

export const isSameVersion = (one: RowVersion, other: RowVersion): boolean =>
  one.messageId === other.messageId && one.createdAt === other.createdAt;

const NEVER_COALESCED: ReadonlySet<string> = new Set([
  'mention',
  'assignment',
  'response_request',
  'status_change',
]);

/** Whether the row stands for one message for ever: newer ones are coalesced into thread updates alone (section 7). */
export const isAlone = ({ type }: NotificationRow): boolean => NEVER_COALESCED.has(type);

/** Of a delivered row: a reply is still to be posted, or a message to be answered that came right before the mark. */
export const isOwed = (row: NotificationRow, { reply, answered }: LaneEntry): boolean =>
  reply !== null || (answered !== null && hasMoved(row, answered));

export const NOTHING_KNOWN: LaneEntry = { attempts: 0, reply: null, posts: 0, answered: null };

/** What a lane knows of a new job. */
export const freshWork: Work = {
  delivery: null,
  entry: NOTHING_KNOWN,
  version: null,
  reply: null,
  outcome: 'released',
  completes: false,
  note: null,
  held: false,
  excused: false,
  counted: false,
  refund: false,
  reopened: false,
  stepFailures: 0,
  rowFailures: 0,
  retryInMs: 0,
  floorMs: 0,
  runMs: null,
  reason: null,
};

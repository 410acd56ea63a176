import type { BackoffLimits } from '../shared/backoff.ts';
import type { ChildInput } from '../shared/child.ts';
import type { FaultKind } from '../shared/fault.ts';
import type { DeliveryContext, NotificationRow } from '../shared/mission-control.ts';
import type { ChildOrder, Sign } from '../shared/child-messages.ts';
import { NOTHING_KNOWN, type Entry } from './entry.ts';
import { coalesces, versionOf, type Version } from './version.ts';
import type { Thread } from './chatter.ts';
import type { NoteReason } from './notes.ts';
import type { Reply } from './reply.ts';

export interface NotificationInput extends ChildInput {
  /** The row as the list showed it. */
  row: NotificationRow;
  /** What the journal has of it; null for nothing. */
  entry: Entry | null;
  /** The delivery context, where it came with the list. The typing indicator is on then. */
  given: DeliveryContext | null;
  /** Backoff of its runs. */
  runs: BackoffLimits;
  /** Functions of Convex that fail for different rows alike, as it starts. */
  troubled: readonly string[];
  /** Functions of Convex that take no calls, as it starts. */
  away: readonly string[];
  /** What is remembered of its thread; null where agents did not answer each other. */
  thread: Thread | null;
  /** This many messages of agents in a row are chatter; 0 for no limit. */
  chainLimit: number;
}

/** How a notification ended. */
export type Outcome =
  /** The reply is in the thread and the row is marked. */
  | 'delivered'
  /** The agent had nothing to say, or there is no thread for its reply; the row is marked. */
  | 'silent'
  /** A rule says: no run (docs/contract.md#skip-rules). The row is marked. */
  | 'skipped'
  /** Agents only answer each other: no run, until a person writes in the thread. The row is marked. */
  | 'chatter'
  /** Somebody else has marked the row. */
  | 'already'
  /** Given up; the row is marked. */
  | 'parked'
  /** Given up, because the agent gave no reply; the row is marked. */
  | 'unanswered'
  /** Left undelivered; the list will show it again. */
  | 'handedBack'
  /** The row does not exist, or is another account's. */
  | 'gone'
  /** The row could not be marked. */
  | 'stuck';

export interface NotificationOutput {
  kind: 'notification';
  session: string;
  /** The agent and its task: `engineer · Fix the login bug`. */
  title: string;
  id: string;
  outcome: Outcome;
  /** The number of the row's last attempt, over all its versions and all processes; 0 where there was none. */
  attempts: number;
  /** Length of the last run in milliseconds; null when there was none. */
  runMs: number | null;
  reason: string | null;
  /** Why it was given up; null when it was not. */
  note: NoteReason | null;
  /** What is to be remembered of its thread. */
  thread: Thread | null;
}

export type NotificationEvent = ChildOrder | Sign;

export interface NotificationContext {
  input: NotificationInput;
  /** The row at its place in the queue. A newer message moves it once the older one is done with. */
  row: NotificationRow;
  delivery: DeliveryContext | null;
  entry: Entry;
  /** The version that the run answers. */
  version: Version | null;
  thread: Thread | null;
  /** The version that has waited for its pace. */
  paced: Version | null;
  reply: Reply | null;
  /** May new runs start? */
  permission: 'allowed' | 'leaving';
  /** The slot in hand was given while the gateway is in doubt: what fails is the gateway's failure. */
  trial: boolean;
  /** Whose failure it is if the run under way fails; `down`: the gateway went away during it; null when none is. */
  blame: 'notification' | 'gateway' | 'down' | null;
  /** A run was counted as it began, and no round of it was answered yet: if the gateway did not take it, it cost nothing. */
  unpaid: boolean;
  /** The run under way was silent for STALL_AFTER, and people were told. */
  stalled: boolean;
  result: {
    outcome: Outcome;
    runMs: number | null;
    reason: string | null;
    note: NoteReason | null;
  };
  backend: {
    /** Convex offers to bring the row to its end in one call. */
    completes: boolean;
    /** Convex has switched the typing indicator on. */
    typing: boolean;
    /** Functions that fail for different rows alike. */
    troubled: readonly string[];
    /** Functions that take no calls. */
    away: readonly string[];
  };
  rest: Rest;
}

/** What decides how long it waits. Times are milliseconds. */
export interface Rest {
  /** The wait under way, or the last one. */
  inMs: number;
  /** The shortest wait that the other side asked for. */
  floorMs: number;
  /** What the last failure was; null when there was none. */
  cause: FaultKind | null;
  /** The last run failed and was counted. */
  counted: boolean;
  /** Runs that failed in a row. */
  runFailures: number;
  /** Convex calls that failed in a row. */
  stepFailures: number;
  /** Failures in a row of Convex functions that fail for this row alone. */
  rowFailures: number;
  /** Its failures were given back once: the function failed for others alike. */
  forgiven: boolean;
  /** Times in a row that Convex was away at the call in hand. */
  callFailures: number;
  /** How long the gateway has not known the agent. */
  unknownForMs: number;
}

const FRESH_REST: Rest = {
  inMs: 0,
  floorMs: 0,
  cause: null,
  counted: false,
  runFailures: 0,
  stepFailures: 0,
  rowFailures: 0,
  forgiven: false,
  callFailures: 0,
  unknownForMs: 0,
};

export const freshContext = (input: NotificationInput): NotificationContext => ({
  input,
  row: input.row,
  delivery: null,
  entry: input.entry ?? NOTHING_KNOWN,
  version: null,
  thread: input.thread,
  paced: null,
  reply: null,
  permission: 'allowed',
  trial: false,
  blame: null,
  unpaid: false,
  stalled: false,
  result: { outcome: 'handedBack', runMs: null, reason: null, note: null },
  backend: { completes: false, typing: false, troubled: input.troubled, away: input.away },
  rest: FRESH_REST,
});

/** The row's context, read again; null where the row is gone, or where nothing newer came. */
export interface Reread {
  delivery: DeliveryContext | null;
}

/** The version that a message answers: the run's, or the one in the queue where nothing was run. */
export const answeredVersion = ({ version, row }: NotificationContext): Version => version ?? versionOf(row);

/** Newer messages may have been coalesced into the row meanwhile. */
export const mayHaveMoved = ({ delivery }: NotificationContext): boolean =>
  delivery === null || coalesces(delivery.notification);

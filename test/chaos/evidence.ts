/** What a chaos run writes down, for the checks. All moments are `monotonicMs()` of the machine. */
import type { DumpedState } from '../kits/contract-backend/dump.ts';

/** How the gateway ended a run; `disconnected`: the client went away first. */
export type RunEnd = 'completed' | 'failed' | 'reset' | 'unavailable' | 'disconnected';

/** One request to the gateway. */
export interface Run {
  id: number;
  /** The runtime process that asked. */
  life: number;
  session: string;
  notificationId: string | null;
  /** The notification's type, or `beat`. */
  kind: string;
  /** The message that is to be answered (`m17`), or the notification's type when it has none. */
  about: string;
  startedAt: number;
  /** The first event is out: the run counts from here. Null when the gateway took no run. */
  begunAt: number | null;
  /** The answer is out whole, or the connection is gone; null while the run is open. */
  endedAt: number | null;
  end: RunEnd | null;
}

/** A row of the journal as a dead process left it. */
export interface JournalRow {
  id: string;
  attempts: number;
  posts: number;
  reply: string | null;
}

/** One runtime process. */
export interface Life {
  number: number;
  startedAt: number;
  /** The first SIGTERM, if any. */
  drainedAt: number | null;
  /** The second SIGTERM, if any. */
  abortedAt: number | null;
  /** The SIGKILL, unless the process was gone before it. */
  killedAt: number | null;
  exitedAt: number;
  exitCode: number | null;
  journal: JournalRow[];
  /** The end of what it wrote. */
  said: string[];
}

export interface Evidence {
  runs: readonly Run[];
  lives: readonly Life[];
  state: DumpedState;
}

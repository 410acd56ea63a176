/** What `GET /why` answers. An allow-list: only what is named here leaves the process. Times are ISO 8601 in UTC. */
import type { WaitedFor } from './waits.ts';

export type WhyAnswer =
  | {
      kind: 'story';
      story: StoryReport;
      /**
       * Where a task or an agent was asked for: its other notifications. Those under way come first, the newest of them
       * at the top.
       */
      others: Candidate[];
      /** How many more there are. */
      more: number;
    }
  /** The question fits several notifications. */
  | { kind: 'several'; problem: string; candidates: Candidate[] }
  | { kind: 'none'; problem: string };

export interface Candidate {
  id: string;
  /** Agent and task. */
  title: string;
  text: string | null;
  /** Where it stands, in a few words. */
  state: string;
  createdAt: string;
}

export interface StoryReport {
  id: string;
  title: string;
  /** The contract's name of its kind, such as `mention`. */
  type: string;
  agent: { id: string; slug: string | null };
  task: { id: string; title: string | null } | null;
  text: string | null;
  createdAt: string;
  /** null while no list has shown it to this process. */
  listedAt: string | null;
  /** Runs that an earlier process began. */
  earlierRuns: number;
  /** One sentence: where it stands. */
  now: string;
  since: string | null;
  /** What comes next, and when; null if nothing does. The time is null if nobody knows it. */
  next: { sentence: string; at: string | null } | null;
  waited: { for: WaitedFor; ms: number }[];
  runs: RunReport[];
  failures: { at: string; sentence: string; times: number }[];
  /** null while it is not over. */
  end: { at: string; outcome: string; sentence: string } | null;
}

export interface RunReport {
  startedAt: string;
  ms: number;
  rounds: number;
  toolCalls: number;
  tokens: { input: number; output: number } | null;
  /** null while it is open. */
  ended: 'replied' | 'failed' | 'cutOff' | null;
}

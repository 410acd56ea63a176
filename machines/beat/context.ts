import type { ActingAgent } from '../shared/acting.ts';
import type { ChildInput } from '../shared/child.ts';
import type { AgentRow, TaskRow, ThreadMessage } from '../shared/mission-control.ts';
import type { Moment } from '../shared/moment.ts';
import type { Parent } from '../shared/parent.ts';
import type { NextCall, Rounds } from '../shared/rounds.ts';
import type { Sign } from '../shared/child-messages.ts';
import type { Spent } from '../shared/spending.ts';
import type { ToolCall } from '../shared/tools.ts';

/** Its session is the agent's system session. */
export interface BeatInput extends ChildInput {
  agent: AgentRow;
  /** The tasks that its earlier beats were about, by id, the latest last. */
  seen: readonly string[];
}

/** What the agent is to look at. */
export interface BeatPlan {
  isOrchestrator: boolean;
  tasks: readonly TaskRow[];
  /** How many more there are. */
  leftOut: number;
  /** The task that the beat is about; null when there is none. */
  focus: TaskRow | null;
  /** The newest messages of the focus task, oldest first. */
  thread: readonly ThreadMessage[];
  /** Who acts in its runs; null: tools are switched off. */
  acting: ActingAgent | null;
}

export interface BeatRun {
  agent: AgentRow;
  plan: BeatPlan | null;
  rounds: Rounds;
  /** How long the run's earlier rounds took, in milliseconds. */
  ranMs: number;
  /** Hears when the gateway sends something. */
  signs: Parent<Sign>;
}

/** What a round of the run came to. */
export interface BeatRound {
  /** What the agent calls; its text counts only where there are none. */
  calls: readonly ToolCall[];
  message: BeatMessage | null;
  runMs: number;
  spent?: Spent | null;
}

/** One call to make. */
export interface BeatCall {
  acting: ActingAgent | null;
  next: NextCall | null;
  /** The rounds of the run so far. */
  rounds: Rounds;
  /** Convex is away for too long, so the agent is told and nothing is called. */
  unreachable: boolean;
}

export interface BeatOutput {
  kind: 'beat';
  session: string;
  /** The agent and what it does: `engineer · heartbeat`. */
  title: string;
  agentId: string;
  outcome: 'beaten' | 'beatFailed';
  /** The task that it was about, by id. */
  focus: string | null;
  runMs: number | null;
  reason: string | null;
}

/** What the agent says on a task. */
export interface BeatMessage {
  taskId: string;
  content: string;
}

/** What an agent said and nobody could post: it is kept for people. */
export interface BeatLetter {
  agentId: string;
  /** The agent and the task: `engineer · Fix the login bug`. */
  title: string;
  message: BeatMessage | null;
  /** Why it could not be posted; null where there was no time to. */
  reason: string | null;
}

/** A message that was begun, and whose end is unknown. */
export interface BeatPost {
  agent: AgentRow;
  message: BeatMessage | null;
  /** When the last try began. */
  begunAt: Moment | null;
  /** The newest message of the thread as the beat was planned; null where it was not read. */
  after: string | null;
}

export interface BeatContext {
  input: BeatInput;
  plan: BeatPlan | null;
  rounds: Rounds;
  message: BeatMessage | null;
  /** When the last try to post it began. */
  begunAt: Moment | null;
  outcome: BeatOutput['outcome'];
  runMs: number | null;
  reason: string | null;
  /** The process drains: no further call begins. */
  leaving: boolean;
  /** The run was silent for STALL_AFTER, and people were told. */
  stalled: boolean;
  /** `failures`: calls that failed in a row, for whatever reason; `rejections`: tries to post that Convex rejected. */
  rest: { inMs: number; floorMs: number; failures: number; rejections: number };
}

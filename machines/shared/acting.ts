/** Who acts during a run. Plain data, fixed when the run begins: nothing that a model writes can change it. */
import type { AgentRow, BehaviorFlags, DeliveryContext, TaskRow, TaskStatus } from './mission-control.ts';

/** Which tools are offered: all, those that only read, or none (AGENT_TOOLS). */
export type ToolMode = 'on' | 'read' | 'off';

export interface ActingAgent {
  agentId: string;
  slug: string;
  isOrchestrator: boolean;
  flags: BehaviorFlags;
  /** The task of the notification, or the focus task of a beat: what a call means that names no task. */
  taskId: string | null;
  /** Its status when it was read. */
  taskStatus: TaskStatus | null;
  /** In a beat no task is set to done. */
  inBeat: boolean;
  /** Everybody who can be named by slug, the agent itself included. */
  known: readonly KnownAgent[];
}

/** As much of an agent as it takes to name it. */
export type KnownAgent = Pick<AgentRow, '_id' | 'slug'>;

/** What the entry keeps of a call before it is made, and what is known when it is made. */
export interface CallCircumstances {
  /** An earlier try began this call, and nobody knows how it ended. */
  repeat: boolean;
  /**
   * The `createdAt` of the row version that the run answers, by Mission Control's clock: what is older was not made
   * by this call. null where nothing is known; a make that is repeated then ends as `outcome_unknown`.
   */
  since: number | null;
  /** The envelopes of the calls of this run that are done: what they made is not taken for what this call made. */
  kept?: readonly string[];
  /** For task_status: the task's status before the first try (`statusBefore`), so that a person's change since then stands. */
  before?: TaskStatus | null;
}

/** How a call ended, as it is counted. `found`: an earlier try had made it already. */
export const TOOL_OUTCOMES = [
  'ok',
  'found',
  'invalid_arguments',
  'not_allowed',
  'not_found',
  'conflict',
  'unavailable',
  'outcome_unknown',
  'limit',
] as const;
export type ToolOutcome = (typeof TOOL_OUTCOMES)[number];

export type ToolErrorCode = Exclude<ToolOutcome, 'ok' | 'found'>;

/** What a call is answered. */
export interface ToolAnswer {
  /** The envelope as JSON text (docs/agents.md#envelope). */
  output: string;
  outcome: ToolOutcome;
}

/** The agent of a notification; null when it is gone. */
export function actingOn(context: DeliveryContext): ActingAgent | null {
  const { agent, task, orchestratorAgentId, effectiveBehaviorFlags, mentionableAgents } = context;
  if (agent === null) return null;
  return {
    agentId: agent._id,
    slug: agent.slug,
    isOrchestrator: agent._id === orchestratorAgentId,
    flags: effectiveBehaviorFlags,
    taskId: task?._id ?? null,
    taskStatus: task?.status ?? null,
    inBeat: false,
    known: mentionableAgents.map(({ id, slug }) => ({ _id: id, slug })),
  };
}

/** @param roster the agents of the account, as the last sync gave them */
export function actingInBeat(beat: {
  agent: AgentRow;
  isOrchestrator: boolean;
  focus: TaskRow | null;
  roster: readonly KnownAgent[];
}): ActingAgent {
  const { agent, isOrchestrator, focus, roster } = beat;
  return {
    agentId: agent._id,
    slug: agent.slug,
    isOrchestrator,
    flags: agent.effectiveBehaviorFlags,
    taskId: focus?._id ?? null,
    taskStatus: focus?.status ?? null,
    inBeat: true,
    // Not a copy: a thousand beats may be open.
    known: roster,
  };
}

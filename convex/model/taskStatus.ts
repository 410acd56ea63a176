/** The status rules of a task (docs/contract.md#enumerations). Pure. */
import type { TaskStatus } from '../enums.ts';

const TRANSITIONS: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  inbox: ['assigned', 'archived'],
  assigned: ['in_progress', 'blocked', 'inbox', 'archived'],
  in_progress: ['review', 'blocked', 'archived'],
  review: ['done', 'in_progress', 'blocked', 'archived'],
  done: ['archived'],
  blocked: ['assigned', 'in_progress', 'archived'],
  archived: [],
};

const AGENT_STATUSES = ['in_progress', 'review', 'done', 'blocked'] as const;
export type AgentSettableStatus = (typeof AGENT_STATUSES)[number];

/** The statuses that an agent may ask for. */
export const isAgentSettable = (status: string): status is AgentSettableStatus =>
  AGENT_STATUSES.some((allowed) => allowed === status);

/**
 * The shortest way from one status to another over statuses that an agent may set.
 * @returns the hops without the start; null when there is no way
 */
export function agentStatusPath(from: TaskStatus, to: AgentSettableStatus): AgentSettableStatus[] | null {
  const queue: { at: TaskStatus; hops: AgentSettableStatus[] }[] = [{ at: from, hops: [] }];
  const seen = new Set<TaskStatus>([from]);
  for (const { at, hops } of queue) {
    if (at === to) return hops;
    for (const next of TRANSITIONS[at]) {
      if (!isAgentSettable(next) || seen.has(next)) continue;
      seen.add(next);
      queue.push({ at: next, hops: [...hops, next] });
    }
  }
  return null;
}

/** What forbids a task to be in a status: one sentence, or null. */
export function statusProblem(
  status: TaskStatus,
  task: { assignees: number; blockedReason: string | undefined },
): string | null {
  if ((status === 'assigned' || status === 'in_progress') && task.assignees === 0) {
    return `Cannot move to '${status}' without at least one assignee`;
  }
  if (status === 'inbox' && task.assignees > 0) return `Cannot move to 'inbox' with assignees`;
  if (status === 'blocked' && !task.blockedReason) return `Cannot move to 'blocked' without a reason`;
  return null;
}

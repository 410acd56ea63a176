import type { AgentStatus, TaskStatus } from '../../../machines/shared/mission-control.ts';
import { clampLimit } from '../../../convex/model/limits.ts';
import type { Agent, Task } from './rows.ts';
import { sessionKeyOf } from './sessions.ts';
import type { Store } from './store.ts';

const DEFAULT_FLAGS = {
  canCreateTasks: false,
  canModifyTaskStatus: true,
  canCreateDocuments: true,
  canMentionAgents: true,
  canReviewTasks: false,
  canMarkDone: false,
};

export interface NewAgent {
  slug: string;
  /** Minutes. */
  heartbeatInterval?: number | undefined;
}

export function addAgent(store: Store, { slug, heartbeatInterval = 15 }: NewAgent): Agent {
  const agent: Agent = {
    ...store.newRow(),
    accountId: store.account._id,
    slug,
    name: slug,
    role: 'worker',
    status: 'offline',
    heartbeatInterval,
    behaviorFlags: DEFAULT_FLAGS,
    createdAt: store.now(),
  };
  store.agents.set(slug, agent);
  store.agentsById.set(agent._id, agent);
  return agent;
}

export const agentsBySlug = (store: Store): Agent[] =>
  [...store.agents.values()].sort((a, b) => (a.slug < b.slug ? -1 : 1));

/** The roster; opens the system session of an agent that has none. */
export const listAgents = (store: Store) =>
  agentsBySlug(store).map(({ behaviorFlags, ...agent }) => ({
    ...agent,
    systemSessionKey: sessionKeyOf({ ...agent, behaviorFlags }),
    effectiveBehaviorFlags: behaviorFlags,
  }));

export function listAssignedTasks(
  store: Store,
  agent: Agent,
  { includeDone = false, limit }: { includeDone?: boolean | undefined; limit?: number | undefined },
): Task[] {
  const assigned = [...(store.tasksByAgent.get(agent._id) ?? [])];
  return newestFirst(
    assigned.filter(({ status }) => includeDone || status !== 'done'),
    limit,
  );
}

export const listTasksByStatus = (store: Store, statuses: readonly TaskStatus[], limit?: number): Task[] =>
  newestFirst(
    [...store.tasks.values()].filter(({ status }) => statuses.includes(status)),
    limit,
  );

const newestFirst = (tasks: Task[], limit: number | undefined): Task[] =>
  tasks.sort((a, b) => b.updatedAt - a.updatedAt).slice(0, clampLimit(limit, 50, 200));

/** @returns when it was taken down */
export function heartbeat(
  store: Store,
  agent: Agent,
  beat: { status: AgentStatus; currentTaskId?: string | undefined },
): number {
  const now = store.now();
  agent.status = beat.status;
  agent.lastHeartbeat = now;
  if (beat.currentTaskId === undefined) delete agent.currentTaskId;
  else agent.currentTaskId = beat.currentTaskId;
  return now;
}

import { failure } from '../../../convex/model/errors.ts';
import { agentStatusPath, isAgentSettable, statusProblem } from '../../../convex/model/taskStatus.ts';
import type { TaskStatus } from '../../../machines/shared/mission-control.ts';
import { agentsBySlug } from './agents.ts';
import { notify } from './queue.ts';
import type { Agent, Party, Task } from './rows.ts';
import { getOrMake, type Store } from './store.ts';
import { subscribe, subscribeOrchestrator } from './subscriptions.ts';

/** A task of the demo user, or of an agent; each agent that it is assigned to is told. */
export function createTask(
  store: Store,
  title: string,
  assignees: readonly Agent[],
  creator: Party = { type: 'user', id: 'demo-user' },
): Task {
  const now = store.now();
  const task: Task = {
    ...store.newRow(),
    accountId: store.account._id,
    title,
    status: assignees.length > 0 ? 'assigned' : 'inbox',
    priority: 3,
    labels: [],
    assignedAgentIds: assignees.map(({ _id }) => _id),
    assignedUserIds: [],
    createdBy: creator.id,
    createdAt: now,
    updatedAt: now,
  };
  store.tasks.set(task._id, task);
  // An agent follows what it works on and not all that it hands out.
  if (creator.type === 'user') subscribe(store, task._id, creator);
  for (const { _id } of assignees) {
    getOrMake(store.tasksByAgent, _id, () => new Set()).add(task);
    subscribe(store, task._id, { type: 'agent', id: _id });
    const body = `You were assigned to task "${title}"`;
    const notice = { type: 'assignment', title: 'You were assigned a task', body } as const;
    notify(store, { type: 'agent', id: _id }, notice, task._id);
  }
  subscribeOrchestrator(store, task._id);
  return task;
}

export interface StatusChange {
  status: string;
  blockedReason?: string | undefined;
  expectedStatus?: TaskStatus | undefined;
}

/** `updateTaskStatusFromAgent` (docs/contract.md#functions). @throws ConvexError with the contract's sentences */
export function changeTaskStatus(store: Store, agent: Agent, task: Task, change: StatusChange) {
  const { status, blockedReason, expectedStatus } = change;
  if (!isAgentSettable(status)) {
    throw failure('INVALID', 'Invalid status: must be in_progress, review, done, or blocked');
  }
  if (!agent.behaviorFlags.canModifyTaskStatus) {
    throw failure('FORBIDDEN', 'Forbidden: Agent is not allowed to modify task status');
  }
  const unchanged = { status: task.status, updatedAt: task.updatedAt, changed: false };
  if ((expectedStatus !== undefined && expectedStatus !== task.status) || status === task.status) {
    return unchanged;
  }
  if (status === 'done') requireDoneAllowed(store, agent, task);
  const path = agentStatusPath(task.status, status);
  if (path === null) {
    throw failure('INVALID', `Invalid transition: Cannot move from '${task.status}' to '${status}'`);
  }
  const assignees = task.assignedAgentIds.length + task.assignedUserIds.length;
  for (const hop of path) {
    const problem = statusProblem(hop, { assignees, blockedReason });
    if (problem !== null) throw failure('INVALID', `Invalid status change: ${problem}`);
  }
  task.status = status;
  task.updatedAt = store.now();
  if (status === 'blocked' && blockedReason !== undefined) task.blockedReason = blockedReason;
  else delete task.blockedReason;
  tellOfStatus(store, agent, task);
  return { status, updatedAt: task.updatedAt, changed: true };
}

function requireDoneAllowed(store: Store, agent: Agent, task: Task): void {
  if (task.status !== 'review') {
    throw failure('FORBIDDEN', 'Forbidden: Task must be in review before marking done');
  }
  if (agentsBySlug(store).some(isQa)) {
    if (!isQa(agent)) throw failure('FORBIDDEN', 'Forbidden: QA must approve and mark tasks as done');
    return;
  }
  const { orchestratorAgentId } = store.account;
  if (orchestratorAgentId === null) {
    throw failure('FORBIDDEN', 'Forbidden: Orchestrator must be set to mark tasks as done');
  }
  if (orchestratorAgentId !== agent._id) {
    throw failure('FORBIDDEN', 'Forbidden: Only the orchestrator can mark tasks as done');
  }
}

const isQa = ({ slug, role }: Agent): boolean =>
  slug === 'qa' || /\bqa\b|quality assurance|quality\b/i.test(role);

function tellOfStatus(store: Store, actor: Agent, task: Task): void {
  const body = `${actor.name} moved "${task.title}" to ${task.status}`;
  const notice = { type: 'status_change', title: 'Task status changed', body } as const;
  for (const id of task.assignedAgentIds.filter((agentId) => agentId !== actor._id)) {
    notify(store, { type: 'agent', id }, notice, task._id);
  }
}

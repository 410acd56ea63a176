import type { TaskStatus } from '../../../machines/shared/mission-control.ts';
import { notify } from './queue.ts';
import type { Agent, Task } from './rows.ts';
import { getOrMake, type Store } from './store.ts';
import { subscribe, subscribeOrchestrator } from './subscriptions.ts';

const CREATOR = { type: 'user', id: 'demo-user' } as const;

/** A task of the demo user; each agent that it is assigned to is told. */
export function createTask(store: Store, title: string, assignees: readonly Agent[]): Task {
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
    createdBy: CREATOR.id,
    createdAt: now,
    updatedAt: now,
  };
  store.tasks.set(task._id, task);
  subscribe(store, task._id, CREATOR);
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

/** A move that the runtime makes. It is not made when the task is elsewhere than expected, or there already. */
export function changeTaskStatus(
  store: Store,
  agent: Agent,
  task: Task,
  { status, expectedStatus = task.status }: { status: TaskStatus; expectedStatus?: TaskStatus | undefined },
) {
  const changed = expectedStatus === task.status && status !== task.status;
  if (changed) {
    task.status = status;
    task.updatedAt = store.now();
    tellOfStatus(store, agent, task);
  }
  return { status: task.status, updatedAt: task.updatedAt, changed };
}

function tellOfStatus(store: Store, actor: Agent, task: Task): void {
  const body = `${actor.name} moved "${task.title}" to ${task.status}`;
  const notice = { type: 'status_change', title: 'Task status changed', body } as const;
  for (const id of task.assignedAgentIds.filter((agentId) => agentId !== actor._id)) {
    notify(store, { type: 'agent', id }, notice, task._id);
  }
}

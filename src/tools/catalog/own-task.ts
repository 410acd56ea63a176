/** What an agent does with a task that it works on. */
import { Refusal } from '../refusal.ts';
import {
  currentTask,
  freeText,
  limit,
  moment,
  optional,
  priority,
  settableStatus,
  slugs,
  text,
  texts,
} from './fields.ts';
import { agentIds, GATES, requireDoneAllowed, requireOrchestrator, requireReason } from './gates.ts';
import { defineTool } from './tool.ts';
import type { Making } from './tool.ts';

const blockedReason = optional(text(2_000, 'What the task waits for; needed for the status blocked.'));

export const taskStatus = defineTool({
  name: 'task_status',
  description:
    'Moves a task to another status. Use it when the state of the work changes: saying so in the thread moves nothing.',
  gate: GATES.movesTask,
  kind: 'set',
  fields: { taskId: currentTask, status: settableStatus('The new status.'), blockedReason },
  check({ status, blockedReason: reason }, agent) {
    requireDoneAllowed(status, agent);
    requireReason(status, reason);
  },
  async make({ taskId, status, blockedReason: reason }, { agent, service, circumstances, signal }) {
    const before = circumstances.repeat ? circumstances.before : null;
    const after = await service.updateTaskStatus(
      {
        agentId: agent.agentId,
        taskId,
        status,
        ...(status === 'blocked' && { blockedReason: reason }),
        ...(before && { expectedStatus: before }),
      },
      signal,
    );
    if (after.status !== status) {
      throw new Refusal(
        'conflict',
        `The task is in ${after.status} and was not moved to ${status}: somebody else has changed it.`,
      );
    }
    return { taskId, status: after.status, changed: after.changed };
  },
});

export const taskUpdate = defineTool({
  name: 'task_update',
  description:
    'Changes fields of a task: only what you give is changed. Labels and assignees replace the ones that are there.',
  gate: GATES.movesTask,
  kind: 'set',
  fields: {
    taskId: currentTask,
    title: optional(text(2_000, 'The new title.')),
    description: optional(freeText(100_000, 'The new description, whole.')),
    priority: optional(priority),
    labels: optional(texts('All labels of the task.')),
    assignedAgentIds: optional(slugs('All agents of the task, by id or slug. Only for the orchestrator.')),
    assignedUserIds: optional(texts('All people of the task, by id. Only for the orchestrator.')),
    status: optional(settableStatus('The new status.')),
    blockedReason,
    dueDate: optional(moment('When the task is due, in milliseconds since 1970.')),
  },
  check(given, agent) {
    const reason = given.blockedReason;
    if (Object.keys(given).every((name) => name === 'taskId' || name === 'blockedReason')) {
      throw new Refusal(
        'invalid_arguments',
        'There is nothing to change: give at least one field beside taskId and blockedReason.',
      );
    }
    if (given.assignedAgentIds ?? given.assignedUserIds) requireOrchestrator(agent, 'change assignees');
    requireDoneAllowed(given.status, agent);
    requireReason(given.status, reason);
    agentIds(given.assignedAgentIds ?? [], agent);
  },
  async make({ taskId, assignedAgentIds: names, blockedReason: reason, ...fields }, making) {
    const { agent, service, signal } = making;
    const assignedAgentIds = names && agentIds(names, agent);
    if (assignedAgentIds) await tellNewAgents(taskId, assignedAgentIds, making);
    const { changedFields } = await service.updateTask(
      {
        agentId: agent.agentId,
        taskId,
        ...fields,
        ...(fields.status === 'blocked' && { blockedReason: reason }),
        ...(assignedAgentIds && { assignedAgentIds }),
      },
      signal,
    );
    return { taskId, changedFields };
  },
});

/** An update does not notify new assignees; an assignment does. */
async function tellNewAgents(
  taskId: string,
  ids: readonly string[],
  { agent: { agentId }, service, signal }: Making,
): Promise<void> {
  const task = await service.getTask({ agentId, taskId }, signal);
  if (task === null) throw new Refusal('not_found', 'There is no task with this id.');
  const assignedAgentIds = ids.filter((id) => !task.assignedAgentIds.includes(id));
  if (assignedAgentIds.length > 0) {
    await service.assignTask({ agentId, taskId, assignedAgentIds }, signal);
  }
}

export const taskLoad = defineTool({
  name: 'task_load',
  description: 'Reads a task as it is now, with the last messages of its thread.',
  gate: GATES.everyone,
  kind: 'read',
  fields: { taskId: currentTask, messageLimit: limit(10, 200, 'messages') },
  make: async ({ taskId, messageLimit }, { agent: { agentId }, service, signal }) => ({
    ...(await service.loadTask({ agentId, taskId, messageLimit }, signal)),
  }),
});

export const taskHistory = defineTool({
  name: 'task_history',
  description: 'Reads what happened to a task: its messages, and who changed what.',
  gate: GATES.onTask,
  kind: 'read',
  fields: {
    taskId: currentTask,
    messageLimit: limit(25, 200, 'messages'),
    activityLimit: limit(30, 200, 'changes', 0),
  },
  make: async ({ taskId, messageLimit, activityLimit }, { agent: { agentId }, service, signal }) => ({
    ...(await service.loadHistory({ agentId, taskId, messageLimit, activityLimit }, signal)),
  }),
});

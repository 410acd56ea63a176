/** What the orchestrator does beside the others: it sees and hands out the account's work. */
import { MAX_MESSAGE_LENGTH, MAX_THREAD, TASK_STATUSES } from '../../../machines/shared/mission-control.ts';
import { Refusal } from '../refusal.ts';
import { currentTask, idField, limit, oneOf, optional, positive, slugs, text } from './fields.ts';
import { agentIds, GATES } from './gates.ts';
import { keptIds } from './kept.ts';
import { defineTool } from './tool.ts';

const gate = GATES.orchestrator;

export const taskAssign = defineTool({
  name: 'task_assign',
  description:
    'Assigns agents to a task, beside those who are assigned already. Each new one is told; a task of the inbox begins.',
  gate,
  kind: 'set',
  fields: { taskId: currentTask, assigneeSlugs: slugs('The agents to assign.') },
  check: ({ assigneeSlugs }, agent) => {
    agentIds(assigneeSlugs, agent);
  },
  async make({ taskId, assigneeSlugs }, { agent, service, signal }) {
    const assignedAgentIds = agentIds(assigneeSlugs, agent);
    await service.assignTask({ agentId: agent.agentId, taskId, assignedAgentIds }, signal);
    return { taskId, assigned: assigneeSlugs };
  },
});

export const taskMessage = defineTool({
  name: 'task_message',
  description:
    "Writes in the thread of another task. A mention (@slug) in it wakes that agent; without one, the task's agents hear of it as an update.",
  gate,
  kind: 'make',
  fields: { taskId: idField('The id of the task.'), content: text(MAX_MESSAGE_LENGTH, 'The message.') },
  async make({ taskId, content }, { agent: { agentId }, service, signal }) {
    const { messageId } = await service.createTaskMessage({ agentId, taskId, content }, signal);
    return { taskId, messageId };
  },
  async look({ taskId, content }, { agent: { agentId }, service, circumstances: { since, kept }, signal }) {
    if (since === null) return 'unknown';
    const { thread } = await service.loadTask({ agentId, taskId, messageLimit: MAX_THREAD }, signal);
    const known = keptIds(kept);
    const [only, ...more] = thread.filter(
      (message) =>
        message.authorId === agentId &&
        message.createdAt >= since &&
        message.content === content &&
        !known.has(message.messageId),
    );
    if (more.length > 0) return 'unknown';
    if (only !== undefined) return { found: { taskId, messageId: only.messageId } };
    const isWhole = thread.length < MAX_THREAD || thread.some(({ createdAt }) => createdAt < since);
    return isWhole ? 'absent' : 'unknown';
  },
});

export const taskList = defineTool({
  name: 'task_list',
  description: 'Lists tasks of the account, the newest first; old ones may be missing from a long list.',
  gate,
  kind: 'read',
  fields: {
    status: optional(oneOf(TASK_STATUSES, 'Only tasks in this status.')),
    assigneeSlug: optional(text(100, 'Only tasks of this agent.')),
    limit: limit(50, 200, 'tasks'),
  },
  check: ({ assigneeSlug }, agent) => {
    if (assigneeSlug !== undefined) agentIds([assigneeSlug], agent);
  },
  async make({ status, assigneeSlug, limit: many }, { agent, service, signal }) {
    const [assigneeAgentId] = assigneeSlug === undefined ? [] : agentIds([assigneeSlug], agent);
    const tasks = await service.listTasks(
      {
        agentId: agent.agentId,
        ...(status !== undefined && { status }),
        ...(assigneeAgentId !== undefined && { assigneeAgentId }),
        limit: many,
      },
      signal,
    );
    return { tasks };
  },
});

export const taskGet = defineTool({
  name: 'task_get',
  description: 'Reads a task as it is now, without its thread.',
  gate,
  kind: 'read',
  fields: { taskId: currentTask },
  async make({ taskId }, { agent: { agentId }, service, signal }) {
    const task = await service.getTask({ agentId, taskId }, signal);
    if (task === null) {
      throw new Refusal('not_found', 'There is no task with this id.', 'Look for it with task_search.');
    }
    return { task };
  },
});

export const taskThread = defineTool({
  name: 'task_thread',
  description: 'Reads the last messages of a thread, the oldest of them first.',
  gate,
  kind: 'read',
  fields: { taskId: currentTask, limit: limit(50, 200, 'messages') },
  make: async ({ taskId, limit: many }, { agent: { agentId }, service, signal }) => ({
    thread: await service.listThread({ agentId, taskId, limit: many }, signal),
  }),
});

export const taskSearch = defineTool({
  name: 'task_search',
  description:
    'Finds tasks whose title, description or blocked reason holds a text, word for word; archived ones too.',
  gate,
  kind: 'read',
  fields: { query: text(1_000, 'The text to look for.'), limit: limit(20, 100, 'tasks') },
  make: async ({ query, limit: many }, { agent: { agentId }, service, signal }) => ({
    tasks: await service.searchTasks({ agentId, query, limit: many }, signal),
  }),
});

export const taskDelete = defineTool({
  name: 'task_delete',
  description: 'Archives a task for good: it cannot be taken up again.',
  gate,
  kind: 'set',
  fields: {
    taskId: idField('The id of the task.'),
    reason: text(2_000, 'Why the task is given up.'),
  },
  async make({ taskId, reason }, { agent: { agentId }, service, signal }) {
    await service.deleteTask({ agentId, taskId, reason }, signal);
    return { taskId, status: 'archived' };
  },
});

export const taskLinkPr = defineTool({
  name: 'task_link_pr',
  description: 'Notes the pull request that belongs to a task.',
  gate,
  kind: 'set',
  fields: { taskId: currentTask, prNumber: positive('The number of the pull request.') },
  async make({ taskId, prNumber }, { agent: { agentId }, service, signal }) {
    await service.linkTaskToPr({ agentId, taskId, prNumber }, signal);
    return { taskId, prNumber };
  },
});

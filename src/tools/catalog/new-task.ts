import { TASK_STATUSES } from '../../../machines/shared/mission-control.ts';
import { freeText, moment, oneOf, optional, priority, slugs, text, texts } from './fields.ts';
import { agentIds, GATES, requireOrchestrator, requireReason } from './gates.ts';
import { keptIds } from './kept.ts';
import { defineTool } from './tool.ts';

const LOOK_LIMIT = 200;

export const taskCreate = defineTool({
  name: 'task_create',
  description:
    'Creates a task. Call it once for each task: there is no way to take one back. The answer has its id.',
  gate: GATES.createsTasks,
  kind: 'make',
  fields: {
    title: text(2_000, 'What is to be done, in one line.'),
    description: optional(freeText(100_000, 'What whoever works on it needs to know.')),
    priority: optional(priority),
    labels: optional(texts('Labels of the task.')),
    status: optional(oneOf(TASK_STATUSES, 'The status at creation; inbox when left out.')),
    blockedReason: optional(text(2_000, 'What the task waits for; needed for the status blocked.')),
    dueDate: optional(moment('When the task is due, in milliseconds since 1970.')),
    assigneeSlugs: optional(slugs('The agents who shall work on it. Only for the orchestrator.')),
  },
  check({ assigneeSlugs, status, blockedReason }, agent) {
    if (assigneeSlugs) requireOrchestrator(agent, 'assign agents to a new task');
    requireReason(status, blockedReason);
    agentIds(assigneeSlugs ?? [], agent);
  },
  async make({ assigneeSlugs, ...task }, { agent, service, signal }) {
    const others = agentIds(assigneeSlugs ?? [], agent).filter((id) => id !== agent.agentId);
    const starts = task.status === 'assigned' || task.status === 'in_progress';
    const { taskId } = await service.createTask(
      {
        agentId: agent.agentId,
        ...task,
        // The orchestrator hands work out: a task of its making that starts at once would be its own.
        ...(starts && agent.isOrchestrator && { status: 'inbox' as const }),
        ...(others.length > 0 && { assignedAgentIds: others }),
      },
      signal,
    );
    return { taskId };
  },
  async look({ title, description }, { agent, service, circumstances: { since, kept }, signal }) {
    if (since === null) return 'unknown';
    const tasks = await service.listTasksByStatus([...TASK_STATUSES], LOOK_LIMIT, signal);
    const known = keptIds(kept);
    const mine = tasks.filter(
      (task) =>
        task.createdBy === agent.agentId &&
        task.createdAt >= since &&
        task.title === title &&
        task.description === description &&
        !known.has(task._id),
    );
    const [only, ...more] = mine;
    if (more.length > 0) return 'unknown';
    if (only !== undefined) return { found: { taskId: only._id } };
    // The list is in order of the last change, so a list that reaches back before that time holds every task made
    // since.
    const isWhole = tasks.length < LOOK_LIMIT || tasks.some(({ updatedAt }) => updatedAt < since);
    return isWhole ? 'absent' : 'unknown';
  },
});

import type { Doc, Id } from '../_generated/dataModel.js';
import type { MutationCtx, QueryCtx } from '../_generated/server.js';
import type { TaskStatus } from '../enums.ts';
import { logActivity } from './activities.ts';
import type { Actor } from './activities.ts';
import { failure } from './errors.ts';
import { notify } from './notifications.ts';
import { subscribe, subscribeOrchestrator } from './subscriptions.ts';
import { statusProblem } from './taskStatus.ts';

export const ORCHESTRATOR_CHAT_LABEL = 'system:orchestrator-chat';

const MAX_TITLE = 2000;
const MAX_DESCRIPTION = 100_000;
const MAX_REASON = 2000;
const DEFAULT_PRIORITY = 3;

export const isOrchestratorChat = (account: Doc<'accounts'>, task: Doc<'tasks'>): boolean =>
  task._id === account.settings?.orchestratorChatTaskId || task.labels.includes(ORCHESTRATOR_CHAT_LABEL);

/** @throws NOT_FOUND or FORBIDDEN when the task is not one of the account's */
export async function requireTask(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  taskId: Id<'tasks'>,
): Promise<Doc<'tasks'>> {
  const task = await ctx.db.get('tasks', taskId);
  if (!task) throw failure('NOT_FOUND', 'Not found: Task does not exist');
  if (task.accountId !== account._id) {
    throw failure('FORBIDDEN', 'Forbidden: Task belongs to different account');
  }
  return task;
}

/** The task, or null when it is not one of the account's. */
export async function ownTask(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  taskId: Id<'tasks'>,
): Promise<Doc<'tasks'> | null> {
  const task = await ctx.db.get('tasks', taskId);
  return task?.accountId === account._id ? task : null;
}

export interface NewTask {
  title: string;
  description?: string;
  priority?: number;
  labels?: string[];
  dueDate?: number;
  status?: TaskStatus;
  blockedReason?: string;
  assignedAgentIds?: Id<'agents'>[];
}

/**
 * Creates a task, subscribes its people and tells its assignees.
 * @throws INVALID when a text is too long or the status does not suit the assignees
 */
export async function insertTask(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  creator: Actor,
  task: NewTask,
): Promise<Id<'tasks'>> {
  checkTexts(task);
  const assignees = [...new Set(task.assignedAgentIds ?? [])];
  const asked = task.status ?? 'inbox';
  const status = asked === 'inbox' && assignees.length > 0 ? 'assigned' : asked;
  const problem = statusProblem(status, { assignees: assignees.length, blockedReason: task.blockedReason });
  if (problem) throw failure('INVALID', `Invalid status at creation: ${problem}`);

  const now = Date.now();
  const taskId = await ctx.db.insert('tasks', {
    accountId: account._id,
    title: task.title,
    description: task.description,
    status,
    priority: task.priority ?? DEFAULT_PRIORITY,
    assignedUserIds: [],
    assignedAgentIds: assignees,
    labels: task.labels ?? [],
    dueDate: task.dueDate,
    blockedReason: status === 'blocked' ? task.blockedReason : undefined,
    createdBy: creator.id,
    createdAt: now,
    updatedAt: now,
  });
  await logActivity(ctx, account._id, 'task_created', creator, {
    type: 'task',
    id: taskId,
    name: task.title,
  });
  // An agent that creates a task is not subscribed to it unless it is assigned.
  if (creator.type === 'user') await subscribe(ctx, taskId, { type: creator.type, id: creator.id });
  for (const agentId of assignees)
    await tellAssignee(ctx, account._id, { taskId, title: task.title }, agentId);
  await subscribeOrchestrator(ctx, account, taskId);
  return taskId;
}

/** Subscribes the agent and gives it an `assignment` row. */
export async function tellAssignee(
  ctx: MutationCtx,
  accountId: Id<'accounts'>,
  task: { taskId: Id<'tasks'>; title: string },
  agentId: Id<'agents'>,
): Promise<void> {
  const recipient = { type: 'agent', id: agentId } as const;
  await subscribe(ctx, task.taskId, recipient);
  await notify(
    ctx,
    accountId,
    recipient,
    {
      type: 'assignment',
      title: 'You were assigned a task',
      body: `You were assigned to task "${task.title}"`,
    },
    task.taskId,
  );
}

/** @throws INVALID for a blank title and for texts over their length */
export function checkTexts(task: Pick<NewTask, 'title' | 'description' | 'blockedReason'>): void {
  if (task.title.trim() === '') throw failure('INVALID', 'Title is required');
  if (task.title.length > MAX_TITLE) throw failure('INVALID', `Title too long (max ${MAX_TITLE} characters)`);
  if ((task.description?.length ?? 0) > MAX_DESCRIPTION) {
    throw failure('INVALID', `Description too long (max ${MAX_DESCRIPTION} characters)`);
  }
  checkReason(task.blockedReason, 'blockedReason');
}

/** @throws INVALID when the reason is over 2,000 characters */
export function checkReason(reason: string | undefined, name: 'blockedReason' | 'reason'): void {
  if ((reason?.length ?? 0) > MAX_REASON) {
    throw failure('INVALID', `${name} too long (max ${MAX_REASON} characters)`);
  }
}

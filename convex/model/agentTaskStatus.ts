/** `updateTaskStatusFromAgent`: who may move a task where (docs/contract.md#functions). */
import type { Doc, Id } from '../_generated/dataModel.js';
import type { MutationCtx, QueryCtx } from '../_generated/server.js';
import type { TaskStatus } from '../enums.ts';
import { logActivity } from './activities.ts';
import { listAccountAgents } from './agents.ts';
import { effectiveBehaviorFlags } from './behaviorFlags.ts';
import { failure } from './errors.ts';
import { notify } from './notifications.ts';
import { checkReason } from './tasks.ts';
import { agentStatusPath, isAgentSettable, statusProblem } from './taskStatus.ts';

const QA_ROLE = /\bqa\b|quality assurance|quality\b/i;

export interface StatusChange {
  /** Any text. A status that an agent may not set is refused with the contract's sentence. */
  status: string;
  blockedReason?: string;
  expectedStatus?: TaskStatus;
}

/**
 * Moves a task to a status on behalf of an agent, with all hops in this transaction. Only the last hop is announced and
 * logged.
 * @returns the task's status and time afterwards, and whether it moved
 * @throws INVALID or FORBIDDEN with the contract's sentences
 */
export async function changeTaskStatus(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  agent: Doc<'agents'>,
  task: Doc<'tasks'>,
  change: StatusChange,
): Promise<{ status: TaskStatus; updatedAt: number; changed: boolean }> {
  const { status, blockedReason, expectedStatus } = change;
  if (!isAgentSettable(status)) {
    throw failure('INVALID', 'Invalid status: must be in_progress, review, done, or blocked');
  }
  if (!effectiveBehaviorFlags(account, agent).canModifyTaskStatus) {
    throw failure('FORBIDDEN', 'Forbidden: Agent is not allowed to modify task status');
  }
  if ((expectedStatus !== undefined && expectedStatus !== task.status) || status === task.status) {
    return { status: task.status, updatedAt: task.updatedAt, changed: false };
  }
  if (status === 'done') await requireDoneAllowed(ctx, account, agent, task);
  checkReason(blockedReason, 'blockedReason');
  const path = agentStatusPath(task.status, status);
  if (!path) {
    throw failure('INVALID', `Invalid transition: Cannot move from '${task.status}' to '${status}'`);
  }
  const assignees = task.assignedAgentIds.length + task.assignedUserIds.length;
  for (const hop of path) {
    const problem = statusProblem(hop, { assignees, blockedReason });
    if (problem) throw failure('INVALID', `Invalid status change: ${problem}`);
  }
  const updatedAt = Date.now();
  await ctx.db.patch('tasks', task._id, {
    status,
    updatedAt,
    blockedReason: status === 'blocked' ? blockedReason : undefined,
  });
  const oldStatus = path.at(-2) ?? task.status;
  await tellOfStatus(ctx, agent, task, { oldStatus, status, blockedReason });
  return { status, updatedAt, changed: true };
}

async function requireDoneAllowed(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  agent: Doc<'agents'>,
  task: Doc<'tasks'>,
): Promise<void> {
  if (task.status !== 'review') {
    throw failure('FORBIDDEN', 'Forbidden: Task must be in review before marking done');
  }
  const agents = await listAccountAgents(ctx, account._id);
  if (agents.some(isQa)) {
    if (!isQa(agent)) throw failure('FORBIDDEN', 'Forbidden: QA must approve and mark tasks as done');
    return;
  }
  const orchestrator = account.settings?.orchestratorAgentId;
  if (!orchestrator) throw failure('FORBIDDEN', 'Forbidden: Orchestrator must be set to mark tasks as done');
  if (orchestrator !== agent._id) {
    throw failure('FORBIDDEN', 'Forbidden: Only the orchestrator can mark tasks as done');
  }
}

const isQa = (agent: Doc<'agents'>): boolean => agent.slug === 'qa' || QA_ROLE.test(agent.role);

async function tellOfStatus(
  ctx: MutationCtx,
  actor: Doc<'agents'>,
  task: Doc<'tasks'>,
  change: { oldStatus: TaskStatus; status: TaskStatus; blockedReason: string | undefined },
): Promise<void> {
  const { oldStatus, status, blockedReason } = change;
  await logActivity(
    ctx,
    task.accountId,
    'task_status_changed',
    { type: 'agent', id: actor._id, name: actor.name },
    { type: 'task', id: task._id, name: task.title },
    { oldStatus, newStatus: status, ...(status === 'blocked' && { blockedReason: blockedReason ?? null }) },
  );
  const notice = {
    type: 'status_change',
    title: 'Task status changed',
    body: `${actor.name} moved "${task.title}" to ${status}`,
  } as const;
  const agents = task.assignedAgentIds.filter((id: Id<'agents'>) => id !== actor._id);
  for (const id of agents) await notify(ctx, task.accountId, { type: 'agent', id }, notice, task._id);
  for (const id of task.assignedUserIds) {
    await notify(ctx, task.accountId, { type: 'user', id }, notice, task._id);
  }
}

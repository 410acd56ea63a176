/** `updateTaskFromAgent` and `assignTaskFromAgent`: changes to a task other than its status alone. */
import type { Doc, Id } from '../_generated/dataModel.js';
import type { MutationCtx, QueryCtx } from '../_generated/server.js';
import type { TaskStatus } from '../enums.ts';
import { logActivity } from './activities.ts';
import { listAccountAgents } from './agents.ts';
import { changeTaskStatus } from './agentTaskStatus.ts';
import { effectiveBehaviorFlags } from './behaviorFlags.ts';
import { failure } from './errors.ts';
import { findMember } from './members.ts';
import { subscribe, subscribeOrchestrator, unsubscribe } from './subscriptions.ts';
import { checkTexts, tellAssignee } from './tasks.ts';
import { isAgentSettable } from './taskStatus.ts';

interface FieldChange {
  title?: string;
  description?: string;
  priority?: number;
  labels?: string[];
  assignedAgentIds?: Id<'agents'>[];
  assignedUserIds?: string[];
  dueDate?: number;
}

export interface TaskChange extends FieldChange {
  status?: string;
  blockedReason?: string;
}

/**
 * Changes the given fields in one transaction. Callers leave absent fields out; a field that is undefined would be removed.
 * @returns the names of the given fields, with `status` only if it changed
 * @throws INVALID or FORBIDDEN with the contract's sentences
 */
export async function updateTask(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  agent: Doc<'agents'>,
  task: Doc<'tasks'>,
  { status, blockedReason, ...fields }: TaskChange,
): Promise<string[]> {
  if (!effectiveBehaviorFlags(account, agent).canModifyTaskStatus) {
    throw failure('FORBIDDEN', 'Forbidden: Agent is not allowed to modify tasks');
  }
  if (status !== undefined && !isAgentSettable(status)) {
    throw failure('INVALID', 'Invalid status: must be in_progress, review, done, or blocked');
  }
  checkTexts({ title: task.title, ...fields, blockedReason });
  checkPriority(fields.priority);
  await checkAssignees(ctx, account, fields);

  const moves = status !== undefined && status !== task.status;
  // The assignees are written first, because a task cannot begin without them.
  const fieldsFirst = moves && status === 'in_progress' && hasAssignees(fields);
  let present = task;
  const change = async () => {
    present = { ...present, ...(await changeFields(ctx, account, agent, present, fields)) };
  };
  const move = async () => {
    const after = await changeTaskStatus(ctx, account, agent, present, {
      status: status ?? '',
      blockedReason,
    });
    present = { ...present, status: after.status, updatedAt: after.updatedAt };
  };
  if (fieldsFirst) await change();
  if (moves) await move();
  if (!fieldsFirst) await change();
  return [...Object.keys(fields), ...(moves ? ['status'] : [])];
}

const hasAssignees = (fields: FieldChange): boolean =>
  fields.assignedAgentIds !== undefined || fields.assignedUserIds !== undefined;

function checkPriority(priority: number | undefined): void {
  if (priority !== undefined && !(priority >= 1 && priority <= 5)) {
    throw failure('INVALID', 'Invalid priority: must be between 1 and 5');
  }
}

async function checkAssignees(ctx: QueryCtx, account: Doc<'accounts'>, fields: FieldChange): Promise<void> {
  await requireKnownAgents(ctx, account, fields.assignedAgentIds ?? []);
  for (const userId of fields.assignedUserIds ?? []) {
    if (!(await findMember(ctx, account._id, userId))) throw failure('INVALID', `Invalid user: ${userId}`);
  }
}

/** @throws INVALID when one of them is not an agent of the account */
export async function requireKnownAgents(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  ids: readonly Id<'agents'>[],
): Promise<void> {
  const known = new Set((await listAccountAgents(ctx, account._id)).map(({ _id }) => _id));
  const unknown = ids.find((id) => !known.has(id));
  if (unknown !== undefined) throw failure('INVALID', `Invalid agent: ${unknown}`);
}

/** Writes the given fields. @returns them with the new `updatedAt`; an empty object when none were given */
async function changeFields(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  agent: Doc<'agents'>,
  task: Doc<'tasks'>,
  fields: FieldChange,
): Promise<Partial<Doc<'tasks'>>> {
  const changedFields = Object.keys(fields);
  if (changedFields.length === 0) return {};
  const patch = { ...withoutTwins(fields), updatedAt: Date.now() };
  checkStaffed({ ...task, ...patch });
  await ctx.db.patch('tasks', task._id, patch);
  if (hasAssignees(fields)) await followAssignees(ctx, account, task, { ...task, ...patch });
  await logActivity(
    ctx,
    account._id,
    'task_updated',
    { type: 'agent', id: agent._id, name: agent.name },
    { type: 'task', id: task._id, name: patch.title ?? task.title },
    { changedFields },
  );
  return patch;
}

function withoutTwins(fields: FieldChange): FieldChange {
  const { assignedAgentIds, assignedUserIds } = fields;
  return {
    ...fields,
    ...(assignedAgentIds && { assignedAgentIds: [...new Set(assignedAgentIds)] }),
    ...(assignedUserIds && { assignedUserIds: [...new Set(assignedUserIds)] }),
  };
}

function checkStaffed({ status, assignedAgentIds, assignedUserIds }: Doc<'tasks'>): void {
  const needsSomebody = status === 'assigned' || status === 'in_progress';
  if (needsSomebody && assignedAgentIds.length + assignedUserIds.length === 0) {
    throw failure('INVALID', `Invalid assignees: a task in '${status}' needs at least one assignee`);
  }
}

async function followAssignees(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  before: Doc<'tasks'>,
  after: Doc<'tasks'>,
): Promise<void> {
  const partiesOf = (task: Doc<'tasks'>) => [
    ...task.assignedAgentIds.map((id) => ({ type: 'agent', id }) as const),
    ...task.assignedUserIds.map((id) => ({ type: 'user', id }) as const),
  ];
  const isIn = (list: { id: string }[]) => (party: { id: string }) => list.some(({ id }) => id === party.id);
  const [old, now] = [partiesOf(before), partiesOf(after)];
  for (const party of now.filter((one) => !isIn(old)(one))) await subscribe(ctx, after._id, party);
  for (const party of old.filter((one) => !isIn(now)(one))) await unsubscribe(ctx, after._id, party);
  await subscribeOrchestrator(ctx, account, after._id);
}

/** Adds assignees and notifies the new ones. A task in the inbox moves to in_progress. */
export async function assignTask(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  agent: Doc<'agents'>,
  task: Doc<'tasks'>,
  ids: readonly Id<'agents'>[],
): Promise<void> {
  await requireKnownAgents(ctx, account, ids);
  const added = [...new Set(ids)].filter((id) => !task.assignedAgentIds.includes(id));
  const status: TaskStatus = task.status === 'inbox' ? 'in_progress' : task.status;
  const assignedAgentIds = [...task.assignedAgentIds, ...added];
  checkStaffed({ ...task, status, assignedAgentIds });
  await ctx.db.patch('tasks', task._id, { assignedAgentIds, status, updatedAt: Date.now() });
  for (const id of added) {
    await tellAssignee(ctx, account._id, { taskId: task._id, title: task.title }, id);
  }
  await subscribeOrchestrator(ctx, account, task._id);
  const actor = { type: 'agent', id: agent._id, name: agent.name } as const;
  const target = { type: 'task', id: task._id, name: task.title } as const;
  await logActivity(ctx, account._id, 'task_updated', actor, target, { assignedAgentIds: added });
  if (status !== task.status) {
    await logActivity(ctx, account._id, 'task_status_changed', actor, target, {
      oldStatus: task.status,
      newStatus: status,
      reason: 'auto_assignment',
    });
  }
}

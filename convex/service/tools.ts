/** What an agent's tools do with tasks. */
import { v } from 'convex/values';
import { internal } from '../_generated/api.js';
import type { Doc } from '../_generated/dataModel.js';
import { internalMutation, internalQuery } from '../_generated/server.js';
import { taskStatus } from '../enums.ts';
import { listAccountAgents, requireAgent, requireOrchestrator } from '../model/agents.ts';
import { effectiveBehaviorFlags } from '../model/behaviorFlags.ts';
import { failure } from '../model/errors.ts';
import { clampLimit } from '../model/limits.ts';
import { requireAccount, serviceClaim } from '../model/serviceToken.ts';
import { closeTaskSessions } from '../model/sessions.ts';
import { checkReason, insertTask, requireTask } from '../model/tasks.ts';
import { loadThread } from '../model/thread.ts';
import schema from '../schema.ts';
import { threadMessage } from '../shapes.ts';

export const newTaskArgs = {
  title: v.string(),
  description: v.optional(v.string()),
  priority: v.optional(v.number()),
  labels: v.optional(v.array(v.string())),
  dueDate: v.optional(v.number()),
  status: v.optional(taskStatus),
  blockedReason: v.optional(v.string()),
  assignedAgentIds: v.optional(v.array(v.id('agents'))),
};

export const taskDetails = v.object({ task: schema.doc('tasks'), thread: v.array(threadMessage) });

export const loadTaskDetails = internalQuery({
  args: {
    claim: serviceClaim,
    agentId: v.id('agents'),
    taskId: v.id('tasks'),
    messageLimit: v.optional(v.number()),
  },
  returns: taskDetails,
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    await requireAgent(ctx, account, args.agentId);
    const task = await requireTask(ctx, account, args.taskId);
    return { task, thread: await loadThread(ctx, task, clampLimit(args.messageLimit, 10, 200)) };
  },
});

export const listThread = internalQuery({
  args: {
    claim: serviceClaim,
    agentId: v.id('agents'),
    taskId: v.id('tasks'),
    limit: v.optional(v.number()),
  },
  returns: v.array(threadMessage),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    requireOrchestrator(account, await requireAgent(ctx, account, args.agentId), 'read threads');
    const task = await requireTask(ctx, account, args.taskId);
    return await loadThread(ctx, task, clampLimit(args.limit, 50, 200));
  },
});

export const createTask = internalMutation({
  args: { claim: serviceClaim, agentId: v.id('agents'), ...newTaskArgs },
  returns: v.id('tasks'),
  handler: async (ctx, { claim, agentId, ...task }) => {
    const account = await requireAccount(ctx, claim);
    const agent = await requireAgent(ctx, account, agentId);
    if (!effectiveBehaviorFlags(account, agent).canCreateTasks) {
      throw failure('FORBIDDEN', 'Forbidden: Agent is not allowed to create tasks');
    }
    requireKnownAgents(await listAccountAgents(ctx, account._id), task.assignedAgentIds ?? []);
    const needsAssignee = task.status === 'assigned' || task.status === 'in_progress';
    const assignedAgentIds =
      needsAssignee && !task.assignedAgentIds?.length ? [agent._id] : task.assignedAgentIds;
    const creator = { type: 'agent', id: agent._id, name: agent.name } as const;
    return await insertTask(ctx, account, creator, { ...task, assignedAgentIds });
  },
});

function requireKnownAgents(agents: Doc<'agents'>[], ids: Doc<'agents'>['_id'][]): void {
  const known = new Set(agents.map(({ _id }) => _id));
  const unknown = ids.find((id) => !known.has(id));
  if (unknown !== undefined) throw failure('INVALID', `Invalid agent: ${unknown}`);
}

/** Archives; the task's sessions are closed right after. */
export const deleteTask = internalMutation({
  args: { claim: serviceClaim, agentId: v.id('agents'), taskId: v.id('tasks'), reason: v.string() },
  returns: v.null(),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    requireOrchestrator(account, await requireAgent(ctx, account, args.agentId), 'archive/delete tasks');
    const task = await requireTask(ctx, account, args.taskId);
    checkReason(args.reason);
    const now = Date.now();
    await ctx.db.patch('tasks', task._id, { status: 'archived', archivedAt: now, updatedAt: now });
    await ctx.scheduler.runAfter(0, internal.service.tools.closeSessions, { taskId: task._id });
    return null;
  },
});

export const closeSessions = internalMutation({
  args: { taskId: v.id('tasks') },
  returns: v.null(),
  handler: async (ctx, args) => {
    await closeTaskSessions(ctx, args.taskId);
    return null;
  },
});

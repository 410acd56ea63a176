/** What an agent's tools change. */
import { v } from 'convex/values';
import { internal } from '../_generated/api.js';
import { internalMutation } from '../_generated/server.js';
import { taskStatus } from '../enums.ts';
import { logActivity } from '../model/activities.ts';
import { requireAgent, requireOrchestrator } from '../model/agents.ts';
import { effectiveBehaviorFlags } from '../model/behaviorFlags.ts';
import { documentArgs, saveDocument as saveDocumentOf } from '../model/documents.ts';
import { failure } from '../model/errors.ts';
import { postMessage } from '../model/messages.ts';
import { requestResponses as requestResponsesOf } from '../model/responseRequests.ts';
import { requireAccount, serviceClaim } from '../model/serviceToken.ts';
import { closeTaskSessions } from '../model/sessions.ts';
import { checkReason, insertTask, requireTask } from '../model/tasks.ts';
import {
  assignTask as assignTaskOf,
  requireKnownAgents,
  updateTask as updateTaskOf,
} from '../model/taskUpdate.ts';

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

export const createTask = internalMutation({
  args: { claim: serviceClaim, agentId: v.id('agents'), ...newTaskArgs },
  returns: v.id('tasks'),
  handler: async (ctx, { claim, agentId, ...task }) => {
    const account = await requireAccount(ctx, claim);
    const agent = await requireAgent(ctx, account, agentId);
    if (!effectiveBehaviorFlags(account, agent).canCreateTasks) {
      throw failure('FORBIDDEN', 'Forbidden: Agent is not allowed to create tasks');
    }
    await requireKnownAgents(ctx, account, task.assignedAgentIds ?? []);
    const needsAssignee = task.status === 'assigned' || task.status === 'in_progress';
    const assignedAgentIds =
      needsAssignee && !task.assignedAgentIds?.length ? [agent._id] : task.assignedAgentIds;
    const creator = { type: 'agent', id: agent._id, name: agent.name } as const;
    return await insertTask(ctx, account, creator, { ...task, assignedAgentIds });
  },
});

/** Archives; the task's sessions are closed right after. */
export const deleteTask = internalMutation({
  args: { claim: serviceClaim, agentId: v.id('agents'), taskId: v.id('tasks'), reason: v.string() },
  returns: v.null(),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    const agent = await requireAgent(ctx, account, args.agentId);
    requireOrchestrator(account, agent, 'archive/delete tasks');
    checkReason(args.reason, 'reason');
    const task = await requireTask(ctx, account, args.taskId);
    const now = Date.now();
    await ctx.db.patch('tasks', task._id, { status: 'archived', archivedAt: now, updatedAt: now });
    await logActivity(
      ctx,
      account._id,
      'task_status_changed',
      { type: 'agent', id: agent._id, name: agent.name },
      { type: 'task', id: task._id, name: task.title },
      { oldStatus: task.status, newStatus: 'archived', reason: args.reason, action: 'task_deleted' },
    );
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

export const taskChangeArgs = {
  title: v.optional(v.string()),
  description: v.optional(v.string()),
  priority: v.optional(v.number()),
  labels: v.optional(v.array(v.string())),
  assignedAgentIds: v.optional(v.array(v.id('agents'))),
  assignedUserIds: v.optional(v.array(v.string())),
  status: v.optional(v.string()),
  blockedReason: v.optional(v.string()),
  dueDate: v.optional(v.number()),
};

export const updateTask = internalMutation({
  args: { claim: serviceClaim, agentId: v.id('agents'), taskId: v.id('tasks'), ...taskChangeArgs },
  returns: v.array(v.string()),
  handler: async (ctx, { claim, agentId, taskId, ...change }) => {
    const account = await requireAccount(ctx, claim);
    const agent = await requireAgent(ctx, account, agentId);
    const task = await requireTask(ctx, account, taskId);
    return await updateTaskOf(ctx, account, agent, task, change);
  },
});

export const assignTask = internalMutation({
  args: {
    claim: serviceClaim,
    agentId: v.id('agents'),
    taskId: v.id('tasks'),
    assignedAgentIds: v.array(v.id('agents')),
  },
  returns: v.null(),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    const agent = await requireAgent(ctx, account, args.agentId);
    requireOrchestrator(account, agent, 'assign agents');
    const task = await requireTask(ctx, account, args.taskId);
    await assignTaskOf(ctx, account, agent, task, args.assignedAgentIds);
    return null;
  },
});

/** Stores the number. This backend has no connection to GitHub. */
export const linkTaskToPr = internalMutation({
  args: { claim: serviceClaim, agentId: v.id('agents'), taskId: v.id('tasks'), prNumber: v.number() },
  returns: v.null(),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    requireOrchestrator(account, await requireAgent(ctx, account, args.agentId), 'link tasks to PRs');
    const task = await requireTask(ctx, account, args.taskId);
    const metadata = { ...task.metadata, prNumber: args.prNumber };
    await ctx.db.patch('tasks', task._id, { metadata, updatedAt: Date.now() });
    return null;
  },
});

export const createTaskMessage = internalMutation({
  args: { claim: serviceClaim, agentId: v.id('agents'), taskId: v.id('tasks'), content: v.string() },
  returns: v.id('messages'),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    const agent = await requireAgent(ctx, account, args.agentId);
    requireOrchestrator(account, agent, 'post task messages');
    const task = await requireTask(ctx, account, args.taskId);
    const author = { type: 'agent', id: agent._id, name: agent.name } as const;
    return await postMessage(ctx, account, task, { author, agent, content: args.content });
  },
});

export const requestResponses = internalMutation({
  args: {
    claim: serviceClaim,
    requesterAgentId: v.id('agents'),
    taskId: v.id('tasks'),
    recipientSlugs: v.array(v.string()),
    message: v.string(),
  },
  returns: v.array(v.id('notifications')),
  handler: async (ctx, { claim, requesterAgentId, taskId, ...request }) => {
    const account = await requireAccount(ctx, claim);
    const requester = await requireAgent(ctx, account, requesterAgentId);
    const task = await requireTask(ctx, account, taskId);
    return await requestResponsesOf(ctx, account, requester, task, request);
  },
});

export const saveDocument = internalMutation({
  args: { claim: serviceClaim, agentId: v.id('agents'), ...documentArgs },
  returns: v.id('documents'),
  handler: async (ctx, { claim, agentId, ...draft }) => {
    const account = await requireAccount(ctx, claim);
    const agent = await requireAgent(ctx, account, agentId);
    if (!effectiveBehaviorFlags(account, agent).canCreateDocuments) {
      throw failure('FORBIDDEN', 'Forbidden: Agent is not allowed to create documents');
    }
    return await saveDocumentOf(ctx, account, agent, draft);
  },
});

/** An agent may attach the file to a message of that task. @returns the first registration */
export const registerUpload = internalMutation({
  args: {
    claim: serviceClaim,
    agentId: v.id('agents'),
    taskId: v.id('tasks'),
    storageId: v.id('_storage'),
  },
  returns: v.id('messageUploads'),
  handler: async (ctx, { claim, agentId, taskId, storageId }) => {
    const account = await requireAccount(ctx, claim);
    const agent = await requireAgent(ctx, account, agentId);
    const task = await requireTask(ctx, account, taskId);
    const earlier = await ctx.db
      .query('messageUploads')
      .withIndex('by_storage', (q) => q.eq('storageId', storageId).eq('taskId', task._id))
      .first();
    if (earlier) return earlier._id;
    if (!(await ctx.db.system.get('_storage', storageId))) {
      throw failure('NOT_FOUND', 'Not found: Upload does not exist');
    }
    return await ctx.db.insert('messageUploads', {
      accountId: account._id,
      taskId: task._id,
      storageId,
      authorType: 'agent',
      authorId: agent._id,
      createdAt: Date.now(),
    });
  },
});

/** What an agent's tools read. */
import { v } from 'convex/values';
import { internalQuery } from '../_generated/server.js';
import { documentType, taskStatus } from '../enums.ts';
import { requireAgent, requireOrchestrator } from '../model/agents.ts';
import { agentSkills, listAgentSkills } from '../model/agentSkills.ts';
import { listDocuments as listDocumentsOf, listedDocument } from '../model/documents.ts';
import { clampLimit } from '../model/limits.ts';
import { requireAccount, serviceClaim } from '../model/serviceToken.ts';
import { loadTaskHistory, taskHistory } from '../model/taskHistory.ts';
import { foundTask, listTasks as listTasksOf, searchTasks as searchTasksOf } from '../model/taskLists.ts';
import { ownTask, requireTask } from '../model/tasks.ts';
import { loadThread } from '../model/thread.ts';
import schema from '../schema.ts';
import { threadMessage } from '../shapes.ts';

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
    const task = await ownTask(ctx, account, args.taskId);
    return task ? await loadThread(ctx, task, clampLimit(args.limit, 50, 200)) : [];
  },
});

export const getTask = internalQuery({
  args: { claim: serviceClaim, agentId: v.id('agents'), taskId: v.id('tasks') },
  returns: v.union(schema.doc('tasks'), v.null()),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    requireOrchestrator(account, await requireAgent(ctx, account, args.agentId), 'get tasks');
    return await ownTask(ctx, account, args.taskId);
  },
});

export const listTasks = internalQuery({
  args: {
    claim: serviceClaim,
    agentId: v.id('agents'),
    status: v.optional(taskStatus),
    assigneeAgentId: v.optional(v.id('agents')),
    limit: v.optional(v.number()),
  },
  returns: v.array(schema.doc('tasks')),
  handler: async (ctx, { claim, agentId, ...query }) => {
    const account = await requireAccount(ctx, claim);
    requireOrchestrator(account, await requireAgent(ctx, account, agentId), 'list tasks');
    return await listTasksOf(ctx, account, query);
  },
});

export const searchTasks = internalQuery({
  args: {
    claim: serviceClaim,
    agentId: v.id('agents'),
    query: v.string(),
    limit: v.optional(v.number()),
  },
  returns: v.array(foundTask),
  handler: async (ctx, { claim, agentId, ...query }) => {
    const account = await requireAccount(ctx, claim);
    requireOrchestrator(account, await requireAgent(ctx, account, agentId), 'search tasks');
    return await searchTasksOf(ctx, account, query);
  },
});

export const getTaskHistory = internalQuery({
  args: {
    claim: serviceClaim,
    agentId: v.id('agents'),
    taskId: v.id('tasks'),
    messageLimit: v.optional(v.number()),
    activityLimit: v.optional(v.number()),
  },
  returns: taskHistory,
  handler: async (ctx, { claim, agentId, taskId, ...limits }) => {
    const account = await requireAccount(ctx, claim);
    await requireAgent(ctx, account, agentId);
    return await loadTaskHistory(ctx, await requireTask(ctx, account, taskId), limits);
  },
});

export const listSkills = internalQuery({
  args: { claim: serviceClaim, agentId: v.id('agents'), queryAgentId: v.optional(v.id('agents')) },
  returns: v.array(agentSkills),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    await requireAgent(ctx, account, args.agentId);
    return await listAgentSkills(ctx, account, args.queryAgentId);
  },
});

export const listDocuments = internalQuery({
  args: {
    claim: serviceClaim,
    taskId: v.optional(v.id('tasks')),
    type: v.optional(documentType),
    limit: v.optional(v.number()),
  },
  returns: v.array(listedDocument),
  handler: async (ctx, { claim, ...query }) =>
    await listDocumentsOf(ctx, await requireAccount(ctx, claim), query),
});

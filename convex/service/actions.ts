/**
 * The service API: what a runtime may call, with the names, arguments and results of the service contract
 * (docs/contract.md#functions). Each action reads the token and hands the work to one internal function, so the work is
 * one transaction.
 * Every one rejects with code UNAUTHENTICATED when the token is not the account's.
 */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import { internal } from '../_generated/api.js';
import { action } from '../_generated/server.js';
import { agentStatus, documentType, runtimeStatus, taskStatus, upgradeStatus } from '../enums.ts';
import { agentSkills } from '../model/agentSkills.ts';
import { deliveryContext } from '../model/deliveryContext.ts';
import { documentArgs, listedDocument } from '../model/documents.ts';
import { serviceArgs, withClaim } from '../model/serviceToken.ts';
import { taskHistory } from '../model/taskHistory.ts';
import { foundTask } from '../model/taskLists.ts';
import schema from '../schema.ts';
import { attachmentInput, pendingUpgrade, runtimeConfig, threadMessage } from '../shapes.ts';
import { agentProfile, rosterAgent } from './agents.ts';
import { taskDetails } from './toolReads.ts';
import { newTaskArgs, taskChangeArgs } from './tools.ts';

const success = v.object({ success: v.boolean() });
type Success = Infer<typeof success>;

// --- Delivery

const notifications = v.array(schema.doc('notifications'));

export const listUndeliveredNotifications = action({
  args: { ...serviceArgs, limit: v.optional(v.number()) },
  returns: notifications,
  handler: async (ctx, args): Promise<Infer<typeof notifications>> => {
    return await ctx.runQuery(internal.service.delivery.listUndelivered, await withClaim(args));
  },
});

const contextOrNull = v.union(deliveryContext, v.null());

export const getNotificationForDelivery = action({
  args: { ...serviceArgs, notificationId: v.id('notifications') },
  returns: contextOrNull,
  handler: async (ctx, args): Promise<Infer<typeof contextOrNull>> => {
    return await ctx.runMutation(internal.service.delivery.loadContext, await withClaim(args));
  },
});

export const markNotificationRead = action({
  args: { ...serviceArgs, notificationId: v.id('notifications') },
  returns: success,
  handler: async (ctx, args): Promise<Success> => {
    await ctx.runMutation(internal.service.delivery.markRead, await withClaim(args));
    return { success: true };
  },
});

export const markNotificationDeliveryEnded = action({
  args: { ...serviceArgs, notificationId: v.id('notifications') },
  returns: success,
  handler: async (ctx, args): Promise<Success> => {
    await ctx.runMutation(internal.service.delivery.markDeliveryEnded, await withClaim(args));
    return { success: true };
  },
});

export const markNotificationDelivered = action({
  args: { ...serviceArgs, notificationId: v.id('notifications') },
  returns: success,
  handler: async (ctx, args): Promise<Success> => {
    await ctx.runMutation(internal.service.delivery.markDelivered, await withClaim(args));
    return { success: true };
  },
});

const messageCreated = v.object({ messageId: v.id('messages') });

export const createMessageFromAgent = action({
  args: {
    ...serviceArgs,
    taskId: v.id('tasks'),
    agentId: v.id('agents'),
    content: v.string(),
    suppressAgentNotifications: v.optional(v.boolean()),
    attachments: v.optional(v.array(attachmentInput)),
    sourceNotificationId: v.optional(v.id('notifications')),
  },
  returns: messageCreated,
  handler: async (ctx, args): Promise<Infer<typeof messageCreated>> => {
    return {
      messageId: await ctx.runMutation(internal.service.delivery.createMessage, await withClaim(args)),
    };
  },
});

const statusUpdated = v.object({
  success: v.boolean(),
  taskId: v.id('tasks'),
  requestedStatus: v.string(),
  status: taskStatus,
  updatedAt: v.number(),
  changed: v.boolean(),
});

export const updateTaskStatusFromAgent = action({
  args: {
    ...serviceArgs,
    taskId: v.id('tasks'),
    agentId: v.id('agents'),
    status: v.string(),
    blockedReason: v.optional(v.string()),
    expectedStatus: v.optional(taskStatus),
  },
  returns: statusUpdated,
  handler: async (ctx, args): Promise<Infer<typeof statusUpdated>> => {
    const after = await ctx.runMutation(internal.service.delivery.updateTaskStatus, await withClaim(args));
    return { success: true, taskId: args.taskId, requestedStatus: args.status, ...after };
  },
});

// --- Agents, heartbeats, profiles

const roster = v.array(rosterAgent);

export const listAgents = action({
  args: serviceArgs,
  returns: roster,
  handler: async (ctx, args): Promise<Infer<typeof roster>> =>
    await ctx.runMutation(internal.service.agents.list, await withClaim(args)),
});

const profiles = v.array(agentProfile);

export const listAgentsForRuntime = action({
  args: serviceArgs,
  returns: profiles,
  handler: async (ctx, args): Promise<Infer<typeof profiles>> =>
    await ctx.runQuery(internal.service.agents.listProfiles, await withClaim(args)),
});

const orchestrator = v.object({ orchestratorAgentId: v.union(v.id('agents'), v.null()) });

export const getOrchestratorAgentId = action({
  args: serviceArgs,
  returns: orchestrator,
  handler: async (ctx, args): Promise<Infer<typeof orchestrator>> => {
    return {
      orchestratorAgentId: await ctx.runQuery(
        internal.service.agents.getOrchestratorId,
        await withClaim(args),
      ),
    };
  },
});

const tasks = v.array(schema.doc('tasks'));

export const listAssignedTasksForAgent = action({
  args: {
    ...serviceArgs,
    agentId: v.id('agents'),
    includeDone: v.optional(v.boolean()),
    limit: v.optional(v.number()),
  },
  returns: tasks,
  handler: async (ctx, args): Promise<Infer<typeof tasks>> => {
    return await ctx.runQuery(internal.service.agents.listAssignedTasks, await withClaim(args));
  },
});

export const listTasksForOrchestratorHeartbeat = action({
  args: { ...serviceArgs, statuses: v.array(taskStatus), limit: v.optional(v.number()) },
  returns: tasks,
  handler: async (ctx, args): Promise<Infer<typeof tasks>> => {
    return await ctx.runQuery(internal.service.agents.listTasksByStatus, await withClaim(args));
  },
});

const beat = v.object({ success: v.boolean(), timestamp: v.number() });

export const updateAgentHeartbeat = action({
  args: {
    ...serviceArgs,
    agentId: v.id('agents'),
    status: agentStatus,
    currentTaskId: v.optional(v.id('tasks')),
  },
  returns: beat,
  handler: async (ctx, args): Promise<Infer<typeof beat>> => {
    const timestamp = await ctx.runMutation(internal.service.agents.heartbeat, await withClaim(args));
    return { success: true, timestamp };
  },
});

// --- Runtime status, upgrades

export const updateRuntimeStatus = action({
  args: { ...serviceArgs, status: runtimeStatus, config: v.optional(runtimeConfig) },
  returns: success,
  handler: async (ctx, args): Promise<Success> => {
    await ctx.runMutation(internal.service.runtime.report, await withClaim(args));
    return { success: true };
  },
});

const restart = v.object({ restartRequested: v.boolean() });

export const checkAndClearRestartRequested = action({
  args: serviceArgs,
  returns: restart,
  handler: async (ctx, args): Promise<Infer<typeof restart>> => {
    return {
      restartRequested: await ctx.runMutation(
        internal.service.runtime.takeRestartRequest,
        await withClaim(args),
      ),
    };
  },
});

const upgradeOrNull = v.union(pendingUpgrade, v.null());

export const getPendingUpgrade = action({
  args: serviceArgs,
  returns: upgradeOrNull,
  handler: async (ctx, args): Promise<Infer<typeof upgradeOrNull>> =>
    await ctx.runQuery(internal.service.runtime.getPendingUpgrade, await withClaim(args)),
});

export const recordUpgradeResult = action({
  args: {
    ...serviceArgs,
    status: upgradeStatus,
    fromOpenclawVersion: v.string(),
    toOpenclawVersion: v.string(),
    fromRuntimeVersion: v.string(),
    toRuntimeVersion: v.string(),
    duration: v.optional(v.number()),
    error: v.optional(v.string()),
  },
  returns: success,
  handler: async (ctx, args): Promise<Success> => {
    await ctx.runMutation(internal.service.runtime.recordUpgradeResult, await withClaim(args));
    return { success: true };
  },
});

// --- Agents' tools

export const loadTaskDetailsForAgentTool = action({
  args: {
    ...serviceArgs,
    agentId: v.id('agents'),
    taskId: v.id('tasks'),
    messageLimit: v.optional(v.number()),
  },
  returns: taskDetails,
  handler: async (ctx, args): Promise<Infer<typeof taskDetails>> => {
    return await ctx.runQuery(internal.service.toolReads.loadTaskDetails, await withClaim(args));
  },
});

const thread = v.array(threadMessage);

export const listTaskThreadForAgentTool = action({
  args: { ...serviceArgs, agentId: v.id('agents'), taskId: v.id('tasks'), limit: v.optional(v.number()) },
  returns: thread,
  handler: async (ctx, args): Promise<Infer<typeof thread>> => {
    return await ctx.runQuery(internal.service.toolReads.listThread, await withClaim(args));
  },
});

const taskCreated = v.object({ taskId: v.id('tasks') });

export const createTaskFromAgent = action({
  args: { ...serviceArgs, agentId: v.id('agents'), ...newTaskArgs },
  returns: taskCreated,
  handler: async (ctx, args): Promise<Infer<typeof taskCreated>> => {
    return { taskId: await ctx.runMutation(internal.service.tools.createTask, await withClaim(args)) };
  },
});

export const deleteTaskFromAgent = action({
  args: { ...serviceArgs, agentId: v.id('agents'), taskId: v.id('tasks'), reason: v.string() },
  returns: success,
  handler: async (ctx, args): Promise<Success> => {
    await ctx.runMutation(internal.service.tools.deleteTask, await withClaim(args));
    return { success: true };
  },
});

const agentArgs = { ...serviceArgs, agentId: v.id('agents') };
const agentTaskArgs = { ...agentArgs, taskId: v.id('tasks') };

const taskChanged = v.object({ taskId: v.id('tasks'), changedFields: v.array(v.string()) });

export const updateTaskFromAgent = action({
  args: { ...agentTaskArgs, ...taskChangeArgs },
  returns: taskChanged,
  handler: async (ctx, args): Promise<Infer<typeof taskChanged>> => {
    const changedFields = await ctx.runMutation(internal.service.tools.updateTask, await withClaim(args));
    return { taskId: args.taskId, changedFields };
  },
});

export const assignTaskFromAgent = action({
  args: { ...agentTaskArgs, assignedAgentIds: v.array(v.id('agents')) },
  returns: taskCreated,
  handler: async (ctx, args): Promise<Infer<typeof taskCreated>> => {
    await ctx.runMutation(internal.service.tools.assignTask, await withClaim(args));
    return { taskId: args.taskId };
  },
});

export const linkTaskToPrForAgentTool = action({
  args: { ...agentTaskArgs, prNumber: v.number() },
  returns: success,
  handler: async (ctx, args): Promise<Success> => {
    await ctx.runMutation(internal.service.tools.linkTaskToPr, await withClaim(args));
    return { success: true };
  },
});

export const createTaskMessageForAgentTool = action({
  args: { ...agentTaskArgs, content: v.string() },
  returns: messageCreated,
  handler: async (ctx, args): Promise<Infer<typeof messageCreated>> => ({
    messageId: await ctx.runMutation(internal.service.tools.createTaskMessage, await withClaim(args)),
  }),
});

const requested = v.object({ notificationIds: v.array(v.id('notifications')) });

export const createResponseRequestNotifications = action({
  args: {
    ...serviceArgs,
    requesterAgentId: v.id('agents'),
    taskId: v.id('tasks'),
    recipientSlugs: v.array(v.string()),
    message: v.string(),
  },
  returns: requested,
  handler: async (ctx, args): Promise<Infer<typeof requested>> => ({
    notificationIds: await ctx.runMutation(internal.service.tools.requestResponses, await withClaim(args)),
  }),
});

const documentSaved = v.object({ documentId: v.id('documents') });

export const createDocumentFromAgent = action({
  args: { ...agentArgs, ...documentArgs },
  returns: documentSaved,
  handler: async (ctx, args): Promise<Infer<typeof documentSaved>> => ({
    documentId: await ctx.runMutation(internal.service.tools.saveDocument, await withClaim(args)),
  }),
});

const uploadRegistered = v.object({ uploadId: v.id('messageUploads') });

export const registerMessageUploadFromAgent = action({
  args: { ...agentTaskArgs, storageId: v.id('_storage') },
  returns: uploadRegistered,
  handler: async (ctx, args): Promise<Infer<typeof uploadRegistered>> => ({
    uploadId: await ctx.runMutation(internal.service.tools.registerUpload, await withClaim(args)),
  }),
});

export const listTasksForAgentTool = action({
  args: {
    ...agentArgs,
    status: v.optional(taskStatus),
    assigneeAgentId: v.optional(v.id('agents')),
    limit: v.optional(v.number()),
  },
  returns: tasks,
  handler: async (ctx, args): Promise<Infer<typeof tasks>> =>
    await ctx.runQuery(internal.service.toolReads.listTasks, await withClaim(args)),
});

const taskOrNull = v.union(schema.doc('tasks'), v.null());

export const getTaskForAgentTool = action({
  args: agentTaskArgs,
  returns: taskOrNull,
  handler: async (ctx, args): Promise<Infer<typeof taskOrNull>> =>
    await ctx.runQuery(internal.service.toolReads.getTask, await withClaim(args)),
});

const foundTasks = v.array(foundTask);

export const searchTasksForAgentTool = action({
  args: { ...agentArgs, query: v.string(), limit: v.optional(v.number()) },
  returns: foundTasks,
  handler: async (ctx, args): Promise<Infer<typeof foundTasks>> =>
    await ctx.runQuery(internal.service.toolReads.searchTasks, await withClaim(args)),
});

export const getTaskHistoryForAgentTool = action({
  args: {
    ...agentTaskArgs,
    messageLimit: v.optional(v.number()),
    activityLimit: v.optional(v.number()),
  },
  returns: taskHistory,
  handler: async (ctx, args): Promise<Infer<typeof taskHistory>> =>
    await ctx.runQuery(internal.service.toolReads.getTaskHistory, await withClaim(args)),
});

const skills = v.array(agentSkills);

export const getAgentSkillsForTool = action({
  args: { ...agentArgs, queryAgentId: v.optional(v.id('agents')) },
  returns: skills,
  handler: async (ctx, args): Promise<Infer<typeof skills>> =>
    await ctx.runQuery(internal.service.toolReads.listSkills, await withClaim(args)),
});

const documents = v.object({ documents: v.array(listedDocument) });

export const listDocumentsForAgent = action({
  args: {
    ...serviceArgs,
    taskId: v.optional(v.id('tasks')),
    type: v.optional(documentType),
    limit: v.optional(v.number()),
  },
  returns: documents,
  handler: async (ctx, args): Promise<Infer<typeof documents>> => ({
    documents: await ctx.runQuery(internal.service.toolReads.listDocuments, await withClaim(args)),
  }),
});

/** The work of the delivery actions, each in one transaction. */
import { v } from 'convex/values';
import type { Doc, Id } from '../_generated/dataModel.js';
import { internalMutation, internalQuery } from '../_generated/server.js';
import type { QueryCtx } from '../_generated/server.js';
import { taskStatus } from '../enums.ts';
import { requireAgent } from '../model/agents.ts';
import { changeTaskStatus } from '../model/agentTaskStatus.ts';
import { deliveryContext, loadDeliveryContext } from '../model/deliveryContext.ts';
import { postMessage } from '../model/messages.ts';
import {
  listQueue,
  markNotificationDelivered,
  ownNotification,
  requireNotification,
  startTyping,
} from '../model/notifications.ts';
import { requireAccount, serviceClaim } from '../model/serviceToken.ts';
import { requireTask } from '../model/tasks.ts';
import schema from '../schema.ts';
import { attachmentInput } from '../shapes.ts';

export const listUndelivered = internalQuery({
  args: { claim: serviceClaim, limit: v.optional(v.number()) },
  returns: v.array(schema.doc('notifications')),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    return await listQueue(ctx, account, args.limit);
  },
});

/** A mutation: it may open a session. */
export const loadContext = internalMutation({
  args: { claim: serviceClaim, notificationId: v.id('notifications') },
  returns: v.union(deliveryContext, v.null()),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    const notification = await ownNotification(ctx, account, args.notificationId);
    return notification && (await loadDeliveryContext(ctx, account, notification));
  },
});

export const markRead = internalMutation({
  args: { claim: serviceClaim, notificationId: v.id('notifications') },
  returns: v.null(),
  handler: async (ctx, args) => {
    const row = await requireNotification(ctx, await requireAccount(ctx, args.claim), args.notificationId);
    await startTyping(ctx, row);
    return null;
  },
});

export const markDeliveryEnded = internalMutation({
  args: { claim: serviceClaim, notificationId: v.id('notifications') },
  returns: v.null(),
  handler: async (ctx, args) => {
    const row = await requireNotification(ctx, await requireAccount(ctx, args.claim), args.notificationId);
    if (row.deliveredAt === undefined && row.deliveryEndedAt === undefined) {
      await ctx.db.patch('notifications', row._id, { deliveryEndedAt: Date.now() });
    }
    return null;
  },
});

export const markDelivered = internalMutation({
  args: { claim: serviceClaim, notificationId: v.id('notifications') },
  returns: v.null(),
  handler: async (ctx, args) => {
    const row = await requireNotification(ctx, await requireAccount(ctx, args.claim), args.notificationId);
    await markNotificationDelivered(ctx, row);
    return null;
  },
});

/** Lookup and insert are one transaction, so there is at most one message per source notification. */
export const createMessage = internalMutation({
  args: {
    claim: serviceClaim,
    taskId: v.id('tasks'),
    agentId: v.id('agents'),
    content: v.string(),
    suppressAgentNotifications: v.optional(v.boolean()),
    attachments: v.optional(v.array(attachmentInput)),
    sourceNotificationId: v.optional(v.id('notifications')),
  },
  returns: v.id('messages'),
  handler: async (ctx, { claim, taskId, agentId, ...draft }) => {
    const account = await requireAccount(ctx, claim);
    const agent = await requireAgent(ctx, account, agentId);
    const task = await requireTask(ctx, account, taskId);
    const earlier = await findAnswer(ctx, account, draft.sourceNotificationId);
    if (earlier) return earlier._id;
    const author = { type: 'agent', id: agent._id, name: agent.name } as const;
    return await postMessage(ctx, account, task, { author, agent, ...draft });
  },
});

export const updateTaskStatus = internalMutation({
  args: {
    claim: serviceClaim,
    taskId: v.id('tasks'),
    agentId: v.id('agents'),
    status: v.string(),
    blockedReason: v.optional(v.string()),
    expectedStatus: v.optional(taskStatus),
  },
  returns: v.object({ status: taskStatus, updatedAt: v.number(), changed: v.boolean() }),
  handler: async (ctx, { claim, taskId, agentId, ...change }) => {
    const account = await requireAccount(ctx, claim);
    const agent = await requireAgent(ctx, account, agentId);
    const task = await requireTask(ctx, account, taskId);
    return await changeTaskStatus(ctx, account, agent, task, change);
  },
});

async function findAnswer(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  sourceNotificationId: Id<'notifications'> | undefined,
): Promise<Doc<'messages'> | null> {
  if (sourceNotificationId === undefined) return null;
  const answer = await ctx.db
    .query('messages')
    .withIndex('by_source', (q) => q.eq('sourceNotificationId', sourceNotificationId))
    .first();
  return answer?.accountId === account._id ? answer : null;
}

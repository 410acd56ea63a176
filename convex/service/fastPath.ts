/** The work of service/extensions.ts, each in one transaction. */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import type { Doc } from '../_generated/dataModel.js';
import { internalMutation } from '../_generated/server.js';
import { runtimeStatus } from '../enums.ts';
import { isAtVersion, postReply, rowVersion } from '../model/completion.ts';
import { deliveryContext, loadDeliveryContext } from '../model/deliveryContext.ts';
import { clampLimit } from '../model/limits.ts';
import {
  listQueue,
  markNotificationDelivered,
  ownNotification,
  requireNotification,
  startTyping,
} from '../model/notifications.ts';
import { findRuntime } from '../model/runtimes.ts';
import { reportRuntimeStatus } from '../model/runtimeStatus.ts';
import { requireAccount, serviceClaim } from '../model/serviceToken.ts';
import schema from '../schema.ts';
import { runtimeConfig } from '../shapes.ts';

/** A bound on contexts per call, because each holds a thread and documents. */
const MAX_CONTEXTS = 20;

export const page = v.object({
  notifications: v.array(schema.doc('notifications')),
  contexts: v.array(deliveryContext),
});

export const takePage = internalMutation({
  args: {
    claim: serviceClaim,
    limit: v.optional(v.number()),
    contexts: v.number(),
    busy: v.array(v.string()),
  },
  returns: page,
  handler: async (ctx, args): Promise<Infer<typeof page>> => {
    const account = await requireAccount(ctx, args.claim);
    const rows = await listQueue(ctx, account, args.limit);
    const busy = new Set(args.busy);
    const taken = new Set(rows.filter(({ _id }) => busy.has(_id)).map(sessionOf));
    const contexts = [];
    const most = args.contexts <= 0 ? 0 : clampLimit(args.contexts, 0, MAX_CONTEXTS);
    for (const row of rows) {
      if (contexts.length >= most) break;
      if (taken.has(sessionOf(row))) continue;
      taken.add(sessionOf(row));
      contexts.push(await loadDeliveryContext(ctx, account, await startTyping(ctx, row)));
    }
    return { notifications: rows, contexts };
  },
});

const sessionOf = ({ recipientId, taskId }: Doc<'notifications'>): string => `${recipientId}/${taskId ?? ''}`;

export const begin = internalMutation({
  args: { claim: serviceClaim, notificationId: v.id('notifications') },
  returns: v.union(deliveryContext, v.null()),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    const row = await ownNotification(ctx, account, args.notificationId);
    if (row === null) return null;
    const current = row.deliveredAt === undefined ? await startTyping(ctx, row) : row;
    return await loadDeliveryContext(ctx, account, current);
  },
});

export const complete = internalMutation({
  args: {
    claim: serviceClaim,
    notificationId: v.id('notifications'),
    version: rowVersion,
    reply: v.union(v.object({ content: v.string(), first: v.boolean(), startsTask: v.boolean() }), v.null()),
  },
  returns: v.union(deliveryContext, v.null()),
  handler: async (ctx, { claim, notificationId, version, reply }) => {
    const account = await requireAccount(ctx, claim);
    const row = await requireNotification(ctx, account, notificationId);
    if (reply !== null) await postReply(ctx, account, row, { ...reply, version });
    if (!isAtVersion(row, version)) return await loadDeliveryContext(ctx, account, row);
    await markNotificationDelivered(ctx, row);
    return null;
  },
});

export const report = internalMutation({
  args: { claim: serviceClaim, status: runtimeStatus, config: v.optional(runtimeConfig) },
  returns: v.object({ asked: v.boolean() }),
  handler: async (ctx, { claim, status, config }) => {
    const account = await requireAccount(ctx, claim);
    await reportRuntimeStatus(ctx, account, status, config);
    // This comes after the report, because a report of the target versions ends the request.
    const pending = (await findRuntime(ctx, account._id))?.pendingUpgrade;
    return { asked: account.restartRequestedAt !== undefined || pending !== undefined };
  },
});

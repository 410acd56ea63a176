/** The work of service/extensions.ts, each in one transaction. */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import type { Doc } from '../_generated/dataModel.js';
import { internalMutation } from '../_generated/server.js';
import type { MutationCtx } from '../_generated/server.js';
import { runtimeStatus } from '../enums.ts';
import { isAtVersion, postReply, rowVersion } from '../model/completion.ts';
import { deliveryContext, loadDeliveryContext } from '../model/deliveryContext.ts';
import { dropHolder, leaseQueue, releaseQueue, renewHolder, sessionOf } from '../model/leases.ts';
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
    return { notifications: rows, contexts: await beginOldest(ctx, account, rows, args) };
  },
});

export const leasedPage = page.extend({ others: v.number() });

export const takeLeases = internalMutation({
  args: {
    claim: serviceClaim,
    limit: v.optional(v.number()),
    contexts: v.number(),
    busy: v.array(v.string()),
    holder: v.string(),
  },
  returns: leasedPage,
  handler: async (ctx, args): Promise<Infer<typeof leasedPage>> => {
    const account = await requireAccount(ctx, args.claim);
    const { rows, others } = await leaseQueue(ctx, account, args.holder, args.limit);
    return { notifications: rows, contexts: await beginOldest(ctx, account, rows, args), others };
  },
});

export const giveBackLeases = internalMutation({
  args: { claim: serviceClaim, holder: v.string(), keep: v.array(v.string()) },
  returns: v.null(),
  handler: async (ctx, { claim, holder, keep }) => {
    await releaseQueue(ctx, await requireAccount(ctx, claim), holder, keep);
    return null;
  },
});

/** The contexts of the oldest row of each session that has none in `busy`; their typing indicators go on. */
async function beginOldest(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  rows: readonly Doc<'notifications'>[],
  { contexts: wanted, busy }: { contexts: number; busy: readonly string[] },
): Promise<Infer<typeof deliveryContext>[]> {
  const taken = new Set(rows.filter(({ _id }) => busy.includes(_id)).map(sessionOf));
  const contexts = [];
  const most = wanted <= 0 ? 0 : clampLimit(wanted, 0, MAX_CONTEXTS);
  for (const row of rows) {
    if (contexts.length >= most) break;
    if (taken.has(sessionOf(row))) continue;
    taken.add(sessionOf(row));
    contexts.push(await loadDeliveryContext(ctx, account, await startTyping(ctx, row)));
  }
  return contexts;
}

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

export const reported = v.object({
  asked: v.boolean(),
  /** How many other runtimes are at work; only for a runtime that names itself. */
  others: v.optional(v.number()),
});

export const report = internalMutation({
  args: {
    claim: serviceClaim,
    status: runtimeStatus,
    config: v.optional(runtimeConfig),
    holder: v.optional(v.string()),
  },
  returns: reported,
  handler: async (ctx, { claim, status, config, holder }): Promise<Infer<typeof reported>> => {
    const account = await requireAccount(ctx, claim);
    const others = holder === undefined ? undefined : await othersBeside(ctx, account, holder, status);
    // One that leaves while another is at work does not make the account offline.
    const isHandOver = status === 'offline' && (others ?? 0) > 0;
    if (!isHandOver) await reportRuntimeStatus(ctx, account, status, config);
    // This comes after the report, because a report of the target versions ends the request.
    const pending = (await findRuntime(ctx, account._id))?.pendingUpgrade;
    return { asked: account.restartRequestedAt !== undefined || pending !== undefined, others };
  },
});

async function othersBeside(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  holder: string,
  status: Infer<typeof runtimeStatus>,
): Promise<number> {
  const others = await (status === 'offline' ? dropHolder : renewHolder)(ctx, account._id, holder);
  return others.size;
}

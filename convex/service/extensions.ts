/**
 * What this backend offers beyond the service contract; docs/contract-extensions.md says what each function must do.
 * A runtime asks `capabilities` what there is and never assumes it.
 */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import { internal } from '../_generated/api.js';
import { action, internalQuery, query } from '../_generated/server.js';
import { runtimeStatus } from '../enums.ts';
import { rowVersion } from '../model/completion.ts';
import { deliveryContext } from '../model/deliveryContext.ts';
import { requireAccount, serviceArgs, serviceClaim, withClaim } from '../model/serviceToken.ts';
import { runtimeConfig } from '../shapes.ts';
import { leasedPage, page, reported } from './fastPath.ts';

const offer = v.object({ functions: v.array(v.string()) });

/** The names of the functions in this module that a runtime may call. */
const OFFERED = [
  'wakeUp',
  'listWithContexts',
  'leaseNotifications',
  'releaseNotifications',
  'beginDelivery',
  'completeDelivery',
  'reportStatus',
];

/** An action like all functions of the contract, so a runtime can ask a deployment that does not have it. */
export const capabilities = action({
  args: serviceArgs,
  returns: offer,
  handler: async (ctx, args): Promise<Infer<typeof offer>> => {
    await ctx.runQuery(internal.service.extensions.admit, await withClaim(args));
    return { functions: OFFERED };
  },
});

export const admit = internalQuery({
  args: { claim: serviceClaim },
  returns: v.null(),
  handler: async (ctx, args) => {
    await requireAccount(ctx, args.claim);
    return null;
  },
});

/** The signal covers this many of the newest rows, to tell apart rows of the same millisecond. */
const MAX_TIES = 10;

/**
 * A query to subscribe to. Its value changes when a row is put into an agent's queue or takes in a newer message, and at
 * no other time. Delivered rows stay in the index, so a mark does not change it.
 */
export const wakeUp = query({
  args: serviceArgs,
  returns: v.string(),
  handler: async (ctx, args) => {
    const { claim } = await withClaim(args);
    const account = await requireAccount(ctx, claim);
    const newest = await ctx.db
      .query('notifications')
      .withIndex('by_arrival', (q) => q.eq('accountId', account._id).eq('recipientType', 'agent'))
      .order('desc')
      .take(MAX_TIES);
    const latest = newest[0]?.createdAt;
    const ties = newest.filter(({ createdAt }) => createdAt === latest);
    return ties.map(({ _id, messageId, createdAt }) => [createdAt, _id, messageId].join('/')).join(' ');
  },
});

const contextOrNull = v.union(deliveryContext, v.null());

/** The queue, with the contexts of rows that can run now. Switches their typing indicators on. */
export const listWithContexts = action({
  args: {
    ...serviceArgs,
    limit: v.optional(v.number()),
    /** The most contexts to return (20 at most), each of the oldest row of a session. */
    contexts: v.number(),
    /** Rows that are being worked on. Their sessions get no context. */
    busy: v.array(v.string()),
  },
  returns: page,
  handler: async (ctx, args): Promise<Infer<typeof page>> =>
    await ctx.runMutation(internal.service.fastPath.takePage, await withClaim(args)),
});

/**
 * The same, and the listed rows are lent to the caller. Another runtime gets them only after the caller has given them
 * back, or was not heard of for a while.
 */
export const leaseNotifications = action({
  args: {
    ...serviceArgs,
    limit: v.optional(v.number()),
    contexts: v.number(),
    busy: v.array(v.string()),
    /** The caller's name for itself, the same after a restart. */
    holder: v.string(),
  },
  returns: leasedPage,
  handler: async (ctx, args): Promise<Infer<typeof leasedPage>> =>
    await ctx.runMutation(internal.service.fastPath.takeLeases, await withClaim(args)),
});

/** Gives back what is lent to the caller, without the rows in `keep`. */
export const releaseNotifications = action({
  args: { ...serviceArgs, holder: v.string(), keep: v.array(v.string()) },
  returns: v.null(),
  handler: async (ctx, args): Promise<null> =>
    await ctx.runMutation(internal.service.fastPath.giveBackLeases, await withClaim(args)),
});

/** What `getNotificationForDelivery` and `markNotificationRead` do. */
export const beginDelivery = action({
  args: { ...serviceArgs, notificationId: v.id('notifications') },
  returns: contextOrNull,
  handler: async (ctx, args): Promise<Infer<typeof contextOrNull>> =>
    await ctx.runMutation(internal.service.fastPath.begin, await withClaim(args)),
});

/**
 * Posts the reply once, moves the task, and marks the row delivered if it is still at the version that was answered.
 * The same call again changes nothing. @returns null when the row is marked, else the context of the row, which has moved
 */
export const completeDelivery = action({
  args: {
    ...serviceArgs,
    notificationId: v.id('notifications'),
    version: rowVersion,
    /** null when there is nothing to post. */
    reply: v.union(v.object({ content: v.string(), first: v.boolean(), startsTask: v.boolean() }), v.null()),
  },
  returns: contextOrNull,
  handler: async (ctx, args): Promise<Infer<typeof contextOrNull>> =>
    await ctx.runMutation(internal.service.fastPath.complete, await withClaim(args)),
});

/**
 * Does what `updateRuntimeStatus` does, and says whether a restart or an upgrade is asked for. With `holder` it also says
 * how many other runtimes are at work. While there is one, nobody is told `offline`.
 */
export const reportStatus = action({
  args: {
    ...serviceArgs,
    status: runtimeStatus,
    config: v.optional(runtimeConfig),
    holder: v.optional(v.string()),
  },
  returns: reported,
  handler: async (ctx, args): Promise<Infer<typeof reported>> =>
    await ctx.runMutation(internal.service.fastPath.report, await withClaim(args)),
});

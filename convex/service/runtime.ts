/** A runtime's own state: its reports, and what the fleet asks of it. */
import { v } from 'convex/values';
import { internalMutation, internalQuery } from '../_generated/server.js';
import { runtimeStatus, upgradeStatus } from '../enums.ts';
import { findRuntime, recordUpgrade, requireRuntime } from '../model/runtimes.ts';
import { reportRuntimeStatus } from '../model/runtimeStatus.ts';
import { requireAccount, serviceClaim } from '../model/serviceToken.ts';
import { pendingUpgrade, runtimeConfig } from '../shapes.ts';

export const report = internalMutation({
  args: { claim: serviceClaim, status: runtimeStatus, config: v.optional(runtimeConfig) },
  returns: v.null(),
  handler: async (ctx, args) => {
    await reportRuntimeStatus(ctx, await requireAccount(ctx, args.claim), args.status, args.config);
    return null;
  },
});

/** Whether a restart was asked for. Reading the request clears it. */
export const takeRestartRequest = internalMutation({
  args: { claim: serviceClaim },
  returns: v.boolean(),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    if (account.restartRequestedAt === undefined) return false;
    await ctx.db.patch('accounts', account._id, { restartRequestedAt: undefined });
    return true;
  },
});

export const getPendingUpgrade = internalQuery({
  args: { claim: serviceClaim },
  returns: v.union(pendingUpgrade, v.null()),
  handler: async (ctx, args) => {
    const account = await requireAccount(ctx, args.claim);
    return (await findRuntime(ctx, account._id))?.pendingUpgrade ?? null;
  },
});

export const recordUpgradeResult = internalMutation({
  args: {
    claim: serviceClaim,
    status: upgradeStatus,
    fromOpenclawVersion: v.string(),
    toOpenclawVersion: v.string(),
    fromRuntimeVersion: v.string(),
    toRuntimeVersion: v.string(),
    duration: v.optional(v.number()),
    error: v.optional(v.string()),
  },
  returns: v.null(),
  handler: async (ctx, { claim, ...result }) => {
    const account = await requireAccount(ctx, claim);
    await recordUpgrade(ctx, await requireRuntime(ctx, account._id), result);
    return null;
  },
});

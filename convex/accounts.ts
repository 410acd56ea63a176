import { v } from 'convex/values';
import { internalMutation } from './_generated/server.js';
import { markStaleOffline } from './model/runtimeStatus.ts';

/**
 * The account of a deployment that has no other way to make one; a second call only sets the token.
 * @param serviceTokenHash SHA-256 of the secret of the service token, lower-case hex
 */
export const provision = internalMutation({
  args: { slug: v.string(), name: v.string(), serviceTokenHash: v.string() },
  returns: v.object({ accountId: v.id('accounts') }),
  handler: async (ctx, { slug, name, serviceTokenHash }) => {
    const existing = await ctx.db
      .query('accounts')
      .withIndex('by_slug', (q) => q.eq('slug', slug))
      .unique();
    if (existing) {
      await ctx.db.patch('accounts', existing._id, { serviceTokenHash });
      return { accountId: existing._id };
    }
    const account = {
      name,
      slug,
      plan: 'free',
      runtimeStatus: 'provisioning',
      createdAt: Date.now(),
    } as const;
    return { accountId: await ctx.db.insert('accounts', { ...account, serviceTokenHash }) };
  },
});

/** Marks runtimes offline that have not reported for 90 s. Runs every 30 s. @returns how many */
export const markStaleRuntimesOffline = internalMutation({
  args: {},
  returns: v.number(),
  handler: async (ctx) => await markStaleOffline(ctx),
});

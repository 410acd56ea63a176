/**
 * What this backend offers beyond the service contract; docs/contract-extensions.md says what each function must do.
 * A runtime asks `capabilities` what there is and never assumes it.
 */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import { internal } from '../_generated/api.js';
import { action, internalQuery, query } from '../_generated/server.js';
import { requireAccount, serviceArgs, serviceClaim, withClaim } from '../model/serviceToken.ts';

const offer = v.object({ functions: v.array(v.string()) });

/** The names of the functions in this module that a runtime may call. */
const OFFERED = ['wakeUp'];

/** An action, as all of the contract is: where it is missing, the answer comes by a way that is known to work. */
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

/** Rows that came in within the same millisecond are told apart by all of them; more than these do not meet. */
const MAX_TIES = 10;

/**
 * To subscribe to: changes when a row is put into the queue of an agent, or takes in a newer message, and at no other
 * time. What is delivered stays in the index, so a mark does not change it.
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

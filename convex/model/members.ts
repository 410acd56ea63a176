import type { Doc, Id } from '../_generated/dataModel.js';
import type { QueryCtx } from '../_generated/server.js';

const MAX_MEMBERS = 500;

export async function listMembers(ctx: QueryCtx, accountId: Id<'accounts'>): Promise<Doc<'members'>[]> {
  return await ctx.db
    .query('members')
    .withIndex('by_account_user', (q) => q.eq('accountId', accountId))
    .take(MAX_MEMBERS);
}

export async function findMember(
  ctx: QueryCtx,
  accountId: Id<'accounts'>,
  userId: string,
): Promise<Doc<'members'> | null> {
  return await ctx.db
    .query('members')
    .withIndex('by_account_user', (q) => q.eq('accountId', accountId).eq('userId', userId))
    .unique();
}

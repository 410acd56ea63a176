/**
 * Who may act as the people of an account without a sign-in: whoever holds the person's token,
 * `mc_person_{accountId}_{secret}`. The runtime's service token does not open this, and a deployment for the service
 * has nothing of this folder.
 */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import type { Doc, Id } from '../_generated/dataModel.js';
import type { QueryCtx } from '../_generated/server.js';
import { failure } from '../model/errors.ts';
import { findMember } from '../model/members.ts';
import { equalInConstantTime, sha256Hex } from '../model/serviceToken.ts';

/** The one person of a seeded account; the token's hash is kept with it. */
export const DEMO_USER = { userId: 'demo-user', name: 'Demo User' } as const;

/** What every action here takes beside its own arguments. */
export const personArgs = { accountId: v.id('accounts'), personToken: v.string() };

export const personClaim = v.object({ accountId: v.id('accounts'), secretHash: v.string() });
export type PersonClaim = Infer<typeof personClaim>;

/**
 * An action's arguments as its internal function takes them: the token read, the rest as it is.
 * @throws UNAUTHENTICATED when it cannot be a token of this account
 */
export async function withPerson<T extends { accountId: Id<'accounts'>; personToken: string }>(
  args: T,
): Promise<Omit<T, 'accountId' | 'personToken'> & { claim: PersonClaim }> {
  const { accountId, personToken, ...rest } = args;
  const [, of, secret] = /^mc_person_([^_]+)_([0-9a-f]{64})$/.exec(personToken) ?? [];
  if (secret === undefined || of !== accountId) throw failure('UNAUTHENTICATED', 'Invalid person token');
  return { ...rest, claim: { accountId, secretHash: await sha256Hex(secret) } };
}

/**
 * The account that the claim is for.
 * @throws UNAUTHENTICATED when the token is not that account's
 */
export async function requirePerson(ctx: QueryCtx, claim: PersonClaim): Promise<Doc<'accounts'>> {
  const account = await ctx.db.get('accounts', claim.accountId);
  const person = await findMember(ctx, claim.accountId, DEMO_USER.userId);
  if (!account || !person?.tokenHash || !equalInConstantTime(person.tokenHash, claim.secretHash)) {
    throw failure('UNAUTHENTICATED', 'Invalid person token');
  }
  return account;
}

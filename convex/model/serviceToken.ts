/** The service token, `mc_service_{accountId}_{secret}` (docs/contract.md#token). */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import type { Doc, Id } from '../_generated/dataModel.js';
import type { QueryCtx } from '../_generated/server.js';
import { failure } from './errors.ts';

const MAX_TOKEN_LENGTH = 512;

/**
 * What an action passes to the internal function that does its work. The secret stays in the action, and the check
 * happens in the same transaction as the work.
 */
export const serviceClaim = v.object({
  accountId: v.id('accounts'),
  tokenAccountId: v.string(),
  secretHash: v.string(),
});
export type ServiceClaim = Infer<typeof serviceClaim>;

/** The arguments that every action takes beside its own. */
export const serviceArgs = { accountId: v.id('accounts'), serviceToken: v.string() };

/** SHA-256 as lower-case hex. */
export async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The arguments for an action's internal function: the token becomes a claim, and the rest stays unchanged.
 * @throws UNAUTHENTICATED when the text is no service token
 */
export async function withClaim<T extends { accountId: Id<'accounts'>; serviceToken: string }>(
  args: T,
): Promise<Omit<T, 'accountId' | 'serviceToken'> & { claim: ServiceClaim }> {
  const { accountId, serviceToken, ...rest } = args;
  return { ...rest, claim: { accountId, ...(await readToken(serviceToken)) } };
}

async function readToken(token: string): Promise<Omit<ServiceClaim, 'accountId'>> {
  if (token.length > MAX_TOKEN_LENGTH) throw failure('UNAUTHENTICATED', 'Invalid service token');
  const [mc, service, tokenAccountId, ...secret] = token.split('_');
  if (mc !== 'mc' || service !== 'service') {
    throw failure('UNAUTHENTICATED', 'Invalid service token format');
  }
  if (tokenAccountId === undefined || secret.length === 0) {
    throw failure('UNAUTHENTICATED', 'Invalid service token structure');
  }
  return { tokenAccountId, secretHash: await sha256Hex(secret.join('_')) };
}

/**
 * The account that the claim is for.
 * @throws UNAUTHENTICATED when the token is not that account's
 */
export async function requireAccount(ctx: QueryCtx, claim: ServiceClaim): Promise<Doc<'accounts'>> {
  const tokenAccountId = ctx.db.normalizeId('accounts', claim.tokenAccountId);
  const account = tokenAccountId && (await ctx.db.get('accounts', tokenAccountId));
  if (!account) throw failure('UNAUTHENTICATED', 'Not found: Account does not exist');
  if (account.serviceTokenHash === undefined) {
    throw failure('UNAUTHENTICATED', 'Forbidden: Account has no service token configured');
  }
  if (!equalInConstantTime(account.serviceTokenHash, claim.secretHash)) {
    throw failure('UNAUTHENTICATED', 'Invalid service token');
  }
  if (account._id !== claim.accountId) {
    throw failure('UNAUTHENTICATED', 'Forbidden: Service token does not match account');
  }
  return account;
}

/** Compares hashes in a time that does not show where they differ. */
export function equalInConstantTime(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}

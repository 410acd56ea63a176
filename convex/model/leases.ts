/**
 * Which runtime works on which rows, where an account has more than one
 * (docs/contract-extensions.md#leasenotifications). A row names its holder. It stays with the holder as long as the
 * holder is heard of.
 */
import type { Doc, Id } from '../_generated/dataModel.js';
import type { MutationCtx } from '../_generated/server.js';
import { clampLimit } from './limits.ts';
import { listQueue } from './notifications.ts';

/** A lease lasts as long as a silent runtime counts as online (docs/contract.md#status). Each list and report renews it. */
const LEASE_MS = 90_000;
/** A lease that lasts longer than this is not written again. */
const RENEW_BELOW_MS = 75_000;
/** No account has so many runtimes. */
const MAX_HOLDERS = 50;
const MAX_PAGE = 500;

/** Notes that the holder is at work. @returns the names of the others that are */
export async function renewHolder(
  ctx: MutationCtx,
  accountId: Id<'accounts'>,
  name: string,
): Promise<ReadonlySet<string>> {
  const now = Date.now();
  const { mine, others } = await holdersOf(ctx, accountId, name);
  if (mine === undefined) {
    await ctx.db.insert('leaseHolders', { accountId, name, expiresAt: now + LEASE_MS });
  } else if (mine.expiresAt < now + RENEW_BELOW_MS) {
    await ctx.db.patch('leaseHolders', mine._id, { expiresAt: now + LEASE_MS });
  }
  return others;
}

/** The holder leaves: its rows are free at once. @returns the names of the others that are at work */
export async function dropHolder(
  ctx: MutationCtx,
  accountId: Id<'accounts'>,
  name: string,
): Promise<ReadonlySet<string>> {
  const { mine, others } = await holdersOf(ctx, accountId, name);
  if (mine !== undefined) await ctx.db.delete('leaseHolders', mine._id);
  return others;
}

/** The account's holders. Those whose time is over are forgotten. */
async function holdersOf(
  ctx: MutationCtx,
  accountId: Id<'accounts'>,
  name: string,
): Promise<{ mine: Doc<'leaseHolders'> | undefined; others: ReadonlySet<string> }> {
  const now = Date.now();
  const holders = await ctx.db
    .query('leaseHolders')
    .withIndex('by_account', (q) => q.eq('accountId', accountId))
    .take(MAX_HOLDERS);
  const others = holders.filter((holder) => holder.name !== name);
  for (const { _id, expiresAt } of others) {
    if (expiresAt <= now) await ctx.db.delete('leaseHolders', _id);
  }
  return {
    mine: holders.find((holder) => holder.name === name),
    others: new Set(others.filter(({ expiresAt }) => expiresAt > now).map((holder) => holder.name)),
  };
}

/**
 * The queue as the holder may work on it, oldest first: without sessions that another runtime works on. What is listed
 * is the holder's from here on, and with a row its whole session, so that two runs of one session never overlap.
 */
export async function leaseQueue(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  holder: string,
  limit: number | undefined,
): Promise<{ rows: Doc<'notifications'>[]; others: number }> {
  const others = await renewHolder(ctx, account._id, holder);
  const waiting = await listQueue(ctx, account, others.size === 0 ? limit : MAX_PAGE);
  const owners = new Map<string, string>();
  for (const row of waiting) {
    const { heldBy } = row;
    const isHeld = heldBy !== undefined && (heldBy === holder || others.has(heldBy));
    if (isHeld && !owners.has(sessionOf(row))) owners.set(sessionOf(row), heldBy);
  }
  const rows = waiting
    .filter((row) => (owners.get(sessionOf(row)) ?? holder) === holder)
    .slice(0, clampLimit(limit, 100, MAX_PAGE));
  for (const row of rows) {
    if (row.heldBy !== holder) await ctx.db.patch('notifications', row._id, { heldBy: holder });
  }
  return { rows: rows.map((row) => ({ ...row, heldBy: holder })), others: others.size };
}

/** Gives the holder's rows back, without those in `keep`. */
export async function releaseQueue(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  holder: string,
  keep: readonly string[],
): Promise<void> {
  const kept = new Set(keep);
  for (const row of await listQueue(ctx, account, MAX_PAGE)) {
    if (row.heldBy === holder && !kept.has(row._id)) {
      await ctx.db.patch('notifications', row._id, { heldBy: undefined });
    }
  }
}

/** Recipient and task. The rows of one session are worked on one after the other. */
export const sessionOf = ({ recipientId, taskId }: Doc<'notifications'>): string =>
  `${recipientId}/${taskId ?? ''}`;

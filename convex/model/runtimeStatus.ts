/** What the account knows of its runtime, and who hears of it (docs/contract.md#functions). */
import type { Doc, Id } from '../_generated/dataModel.js';
import type { MutationCtx } from '../_generated/server.js';
import type { RuntimeStatus } from '../enums.ts';
import type { RuntimeConfig } from '../shapes.ts';
import { logActivity, SYSTEM } from './activities.ts';
import { listAccountAgents } from './agents.ts';
import { listMembers } from './members.ts';
import { notify } from './notifications.ts';
import { reportToFleet } from './runtimes.ts';

const STALE_AFTER_MS = 90_000;
const TYPING_BATCH = 500;
const STALE_BATCH = 100;

/** Stores a runtime's report. A change of status is announced to the account's people. */
export async function reportRuntimeStatus(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  status: RuntimeStatus,
  config?: RuntimeConfig,
): Promise<void> {
  await ctx.db.patch('accounts', account._id, {
    runtimeStatus: status,
    ...(config && { runtimeConfig: config }),
  });
  if (status !== account.runtimeStatus) await tellOfChange(ctx, account, status);
  if (status === 'offline') await standDown(ctx, account._id);
  await reportToFleet(ctx, account._id, status, config);
}

/** Marks runtimes offline that have not reported for 90 s. @returns how many */
export async function markStaleOffline(ctx: MutationCtx): Promise<number> {
  const staleBefore = Date.now() - STALE_AFTER_MS;
  let marked = 0;
  for (const status of ['online', 'degraded'] as const) {
    const stale = await ctx.db
      .query('accounts')
      .withIndex('by_runtime_health', (q) =>
        q
          .eq('runtimeStatus', status)
          .gte('runtimeConfig.lastHealthCheck', 0)
          .lt('runtimeConfig.lastHealthCheck', staleBefore),
      )
      .take(STALE_BATCH);
    for (const account of stale) await reportRuntimeStatus(ctx, account, 'offline');
    marked += stale.length;
  }
  return marked;
}

async function tellOfChange(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  status: RuntimeStatus,
): Promise<void> {
  await logActivity(ctx, account._id, 'runtime_status_changed', SYSTEM, {
    type: 'account',
    id: account._id,
    name: `${account.runtimeStatus} -> ${status}`,
  });
  const before = account.runtimeStatus;
  const wasUp = before === 'online' || before === 'degraded';
  if (wasUp && status === 'offline') {
    await broadcast(ctx, account._id, 'Runtime is offline', 'Agents do not answer until it is back.');
  } else if (!wasUp && status === 'online') {
    await broadcast(ctx, account._id, 'Runtime is back online', 'Agents answer again.');
  }
}

async function broadcast(
  ctx: MutationCtx,
  accountId: Id<'accounts'>,
  title: string,
  body: string,
): Promise<void> {
  for (const { userId } of await listMembers(ctx, accountId)) {
    await notify(ctx, accountId, { type: 'user', id: userId }, { type: 'status_change', title, body });
  }
}

/** Without a runtime every agent is offline and no agent is typing. */
async function standDown(ctx: MutationCtx, accountId: Id<'accounts'>): Promise<void> {
  for (const agent of await listAccountAgents(ctx, accountId)) {
    if (agent.status !== 'offline') await ctx.db.patch('agents', agent._id, { status: 'offline' });
  }
  const waiting = await ctx.db
    .query('notifications')
    .withIndex('by_queue', (q) =>
      q.eq('accountId', accountId).eq('recipientType', 'agent').eq('deliveredAt', undefined),
    )
    .take(TYPING_BATCH);
  for (const row of waiting) {
    if (row.readAt !== undefined) await ctx.db.patch('notifications', row._id, { readAt: undefined });
  }
}

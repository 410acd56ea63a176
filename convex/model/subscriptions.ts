import type { Doc, Id } from '../_generated/dataModel.js';
import type { MutationCtx, QueryCtx } from '../_generated/server.js';
import type { Recipient } from './notifications.ts';

const MAX_SUBSCRIBERS = 500;

/** Subscribes the party to the task's thread. */
export async function subscribe(ctx: MutationCtx, taskId: Id<'tasks'>, party: Recipient): Promise<void> {
  const existing = await ctx.db
    .query('subscriptions')
    .withIndex('by_task', (q) =>
      q.eq('taskId', taskId).eq('subscriberType', party.type).eq('subscriberId', party.id),
    )
    .first();
  if (existing) return;
  await ctx.db.insert('subscriptions', { taskId, subscriberType: party.type, subscriberId: party.id });
}

/** The orchestrator follows every task. */
export async function subscribeOrchestrator(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  taskId: Id<'tasks'>,
): Promise<void> {
  const orchestrator = account.settings?.orchestratorAgentId;
  if (orchestrator) await subscribe(ctx, taskId, { type: 'agent', id: orchestrator });
}

export async function listSubscribers(ctx: QueryCtx, taskId: Id<'tasks'>): Promise<Recipient[]> {
  const rows = await ctx.db
    .query('subscriptions')
    .withIndex('by_task', (q) => q.eq('taskId', taskId))
    .take(MAX_SUBSCRIBERS);
  return rows.map((row) => ({ type: row.subscriberType, id: row.subscriberId }));
}

/** Ends the party's subscription. It still hears when it is mentioned. */
export async function unsubscribe(ctx: MutationCtx, taskId: Id<'tasks'>, party: Recipient): Promise<void> {
  const existing = await ctx.db
    .query('subscriptions')
    .withIndex('by_task', (q) =>
      q.eq('taskId', taskId).eq('subscriberType', party.type).eq('subscriberId', party.id),
    )
    .first();
  if (existing) await ctx.db.delete('subscriptions', existing._id);
}

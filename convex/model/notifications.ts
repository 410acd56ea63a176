import type { Doc, Id } from '../_generated/dataModel.js';
import type { MutationCtx, QueryCtx } from '../_generated/server.js';
import type { NotificationType, PartyType } from '../enums.ts';
import { failure } from './errors.ts';
import { clampLimit } from './limits.ts';

export interface Recipient {
  type: PartyType;
  id: string;
}

export interface Notice {
  type: NotificationType;
  title: string;
  body: string;
  messageId?: Id<'messages'>;
}

/** Puts one row in the recipient's queue. */
export async function notify(
  ctx: MutationCtx,
  accountId: Id<'accounts'>,
  recipient: Recipient,
  notice: Notice,
  taskId?: Id<'tasks'>,
): Promise<Id<'notifications'>> {
  return await ctx.db.insert('notifications', {
    accountId,
    recipientType: recipient.type,
    recipientId: recipient.id,
    taskId,
    ...notice,
    createdAt: Date.now(),
  });
}

/**
 * Tells a subscriber of news in a thread. A row that still waits takes the newer message in
 * (docs/contract.md#who-hears), so a quiet recipient has one row per task, and a row can change while its delivery is going on.
 */
export async function notifyThreadUpdate(
  ctx: MutationCtx,
  task: Doc<'tasks'>,
  recipient: Recipient,
  news: { title: string; body: string; messageId: Id<'messages'> },
): Promise<void> {
  const waiting = await ctx.db
    .query('notifications')
    .withIndex('by_recipient_task', (q) =>
      q
        .eq('recipientType', recipient.type)
        .eq('recipientId', recipient.id)
        .eq('taskId', task._id)
        .eq('type', 'thread_update')
        .eq('deliveredAt', undefined),
    )
    .first();
  if (waiting) {
    await ctx.db.patch('notifications', waiting._id, { ...news, createdAt: Date.now() });
  } else {
    await notify(ctx, task.accountId, recipient, { type: 'thread_update', ...news }, task._id);
  }
}

/** Undelivered notifications of agents, oldest first. @param limit 100 when absent, 1 to 500 */
export async function listQueue(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  limit: number | undefined,
): Promise<Doc<'notifications'>[]> {
  return await ctx.db
    .query('notifications')
    .withIndex('by_queue', (q) =>
      q.eq('accountId', account._id).eq('recipientType', 'agent').eq('deliveredAt', undefined),
    )
    .take(clampLimit(limit, 100, 500));
}

/** Switches the typing indicator on. @returns the row afterwards */
export async function startTyping(
  ctx: MutationCtx,
  row: Doc<'notifications'>,
): Promise<Doc<'notifications'>> {
  if (row.readAt !== undefined && row.deliveryEndedAt === undefined) return row;
  const typing = { readAt: row.readAt ?? Date.now(), deliveryEndedAt: undefined };
  await ctx.db.patch('notifications', row._id, typing);
  return { ...row, ...typing };
}

/** Marks the row delivered. A second mark changes nothing. */
export async function markNotificationDelivered(ctx: MutationCtx, row: Doc<'notifications'>): Promise<void> {
  if (row.deliveredAt !== undefined) return;
  await ctx.db.patch('notifications', row._id, { deliveredAt: Date.now() });
}

export async function ownNotification(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  notificationId: Id<'notifications'>,
): Promise<Doc<'notifications'> | null> {
  const row = await ctx.db.get('notifications', notificationId);
  return row?.accountId === account._id ? row : null;
}

export async function requireNotification(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  notificationId: Id<'notifications'>,
): Promise<Doc<'notifications'>> {
  const row = await ownNotification(ctx, account, notificationId);
  if (!row) throw failure('NOT_FOUND', 'Not found: Notification does not exist');
  return row;
}

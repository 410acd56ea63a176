import type { Doc, Id } from '../_generated/dataModel.js';
import type { MutationCtx } from '../_generated/server.js';
import type { NotificationType, PartyType } from '../enums.ts';

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
 * Tells a subscriber of news in a thread. A row that still waits takes the newer message in (contract, section 7),
 * so a quiet recipient has one row per task, and a row can change while its delivery is going on.
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

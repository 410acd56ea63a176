/** What happened to a task: its messages, and the activities whose target it is. */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import type { Doc } from '../_generated/dataModel.js';
import type { QueryCtx } from '../_generated/server.js';
import schema from '../schema.ts';
import { activityMeta, threadMessage } from '../shapes.ts';
import { clampLimit } from './limits.ts';
import { loadThread } from './thread.ts';

export const taskHistory = v.object({
  task: schema.doc('tasks'),
  messages: v.array(threadMessage),
  activities: v.array(
    v.object({
      type: v.string(),
      actorType: v.string(),
      actorId: v.string(),
      actorName: v.string(),
      targetType: v.string(),
      targetId: v.string(),
      targetName: v.optional(v.string()),
      meta: v.optional(activityMeta),
      createdAt: v.number(),
    }),
  ),
  meta: v.object({ messageLimitApplied: v.number(), activityLimitApplied: v.number() }),
});

/** Messages oldest first, activities newest first. @param limits 25 messages (1 to 200), 30 activities (0 to 200) */
export async function loadTaskHistory(
  ctx: QueryCtx,
  task: Doc<'tasks'>,
  limits: { messageLimit?: number; activityLimit?: number },
): Promise<Infer<typeof taskHistory>> {
  const messageLimitApplied = clampLimit(limits.messageLimit, 25, 200);
  const activityLimitApplied = clampLimit(limits.activityLimit, 30, 200, 0);
  const activities = await ctx.db
    .query('activities')
    .withIndex('by_target', (q) => q.eq('targetType', 'task').eq('targetId', task._id))
    .order('desc')
    .take(activityLimitApplied);
  return {
    task,
    messages: await loadThread(ctx, task, messageLimitApplied),
    activities: activities.map(({ _id, _creationTime, accountId: _account, ...activity }) => activity),
    meta: { messageLimitApplied, activityLimitApplied },
  };
}

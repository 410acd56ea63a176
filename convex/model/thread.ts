import type { Doc, Id } from '../_generated/dataModel.js';
import type { QueryCtx } from '../_generated/server.js';
import type { ThreadMessage } from '../shapes.ts';
import { findMember } from './members.ts';

/**
 * The newest messages of a task, oldest first.
 * @param maxContent characters that are kept of each; a cut text ends in "…"
 */
export async function loadThread(
  ctx: QueryCtx,
  task: Doc<'tasks'>,
  limit: number,
  maxContent = Infinity,
): Promise<ThreadMessage[]> {
  const newestFirst = await ctx.db
    .query('messages')
    .withIndex('by_task', (q) => q.eq('taskId', task._id))
    .order('desc')
    .take(limit);
  const names = new Map<string, string | null>();
  const thread: ThreadMessage[] = [];
  for (const message of newestFirst.reverse()) {
    const { _id, authorType, authorId, content, createdAt } = message;
    if (!names.has(authorId)) names.set(authorId, await authorNameOf(ctx, message));
    thread.push({
      messageId: _id,
      authorType,
      authorId,
      authorName: names.get(authorId) ?? null,
      content: content.length > maxContent ? `${content.slice(0, maxContent)}…` : content,
      createdAt,
    });
  }
  return thread;
}

async function authorNameOf(ctx: QueryCtx, message: Doc<'messages'>): Promise<string | null> {
  if (message.authorType === 'user') {
    return (await findMember(ctx, message.accountId, message.authorId))?.name ?? null;
  }
  const agentId: Id<'agents'> | null = ctx.db.normalizeId('agents', message.authorId);
  const agent = agentId && (await ctx.db.get('agents', agentId));
  return agent ? agent.name : null;
}

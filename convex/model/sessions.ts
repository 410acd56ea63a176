/** Session keys and their generations (docs/contract.md#sessions). */
import type { Doc, Id } from '../_generated/dataModel.js';
import type { MutationCtx } from '../_generated/server.js';

const CLOSE_BATCH = 500;

/**
 * The key of the agent's open session, opened now when there is none. A slug is frozen in the key: a renamed agent
 * keeps its session.
 * @param taskId the task's session; without it the agent's system session
 */
export async function ensureSession(
  ctx: MutationCtx,
  agent: Doc<'agents'>,
  taskId?: Id<'tasks'>,
): Promise<string> {
  const sessionType = taskId ? 'task' : 'system';
  const latest = await ctx.db
    .query('agentRuntimeSessions')
    .withIndex('by_owner', (q) =>
      q.eq('agentId', agent._id).eq('sessionType', sessionType).eq('taskId', taskId),
    )
    .order('desc')
    .first();
  if (latest && latest.closedAt === undefined) return latest.sessionKey;

  const generation = (latest?.generation ?? 0) + 1;
  const scope = taskId ? `task:${taskId}` : 'system';
  const sessionKey = `${scope}:agent:${agent.slug}:${agent.accountId}:v${generation}`;
  await ctx.db.insert('agentRuntimeSessions', {
    accountId: agent.accountId,
    agentId: agent._id,
    sessionType,
    taskId,
    agentSlug: agent.slug,
    generation,
    sessionKey,
    openedAt: Date.now(),
  });
  return sessionKey;
}

/** Closes the sessions of an archived task. The next use of such a session opens its next generation. */
export async function closeTaskSessions(ctx: MutationCtx, taskId: Id<'tasks'>): Promise<void> {
  const open = await ctx.db
    .query('agentRuntimeSessions')
    .withIndex('by_task', (q) => q.eq('taskId', taskId).eq('closedAt', undefined))
    .take(CLOSE_BATCH);
  for (const session of open) {
    await ctx.db.patch('agentRuntimeSessions', session._id, {
      closedAt: Date.now(),
      closedReason: 'task_archived',
    });
  }
}

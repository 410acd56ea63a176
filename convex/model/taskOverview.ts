/** The state of the board, for the orchestrator's chat (docs/contract.md#delivery-context). */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import type { Id } from '../_generated/dataModel.js';
import type { QueryCtx } from '../_generated/server.js';
import { ORCHESTRATOR_CHAT_LABEL } from './tasks.ts';

const STATUSES = ['inbox', 'assigned', 'in_progress', 'review', 'blocked'] as const;
const SCAN = 100;
const TOP = 3;

export const taskOverview = v.object({
  totals: v.array(v.object({ status: v.string(), count: v.number() })),
  topTasks: v.array(
    v.object({
      status: v.string(),
      tasks: v.array(
        v.object({
          taskId: v.id('tasks'),
          title: v.string(),
          status: v.string(),
          priority: v.number(),
          assignedAgentIds: v.array(v.id('agents')),
          assignedUserIds: v.array(v.string()),
        }),
      ),
    }),
  ),
});

/** Counts over the newest 100 tasks of each open status, and the three that matter most in each. */
export async function loadTaskOverview(
  ctx: QueryCtx,
  accountId: Id<'accounts'>,
): Promise<Infer<typeof taskOverview>> {
  const overview: Infer<typeof taskOverview> = { totals: [], topTasks: [] };
  for (const status of STATUSES) {
    const newest = await ctx.db
      .query('tasks')
      .withIndex('by_account_status_updated', (q) => q.eq('accountId', accountId).eq('status', status))
      .order('desc')
      .take(SCAN);
    const tasks = newest.filter(({ labels }) => !labels.includes(ORCHESTRATOR_CHAT_LABEL));
    const top = tasks.toSorted((a, b) => a.priority - b.priority || b.createdAt - a.createdAt).slice(0, TOP);
    overview.totals.push({ status, count: tasks.length });
    overview.topTasks.push({
      status,
      tasks: top.map(({ _id, title, priority, assignedAgentIds, assignedUserIds }) => ({
        taskId: _id,
        title,
        status,
        priority,
        assignedAgentIds,
        assignedUserIds,
      })),
    });
  }
  return overview;
}

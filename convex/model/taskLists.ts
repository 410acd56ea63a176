/** Searches of the orchestrator's tools over an account's tasks. */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import type { Doc, Id } from '../_generated/dataModel.js';
import type { QueryCtx } from '../_generated/server.js';
import { TASK_STATUSES, taskStatus } from '../enums.ts';
import type { TaskStatus } from '../enums.ts';
import { clampLimit } from './limits.ts';

/** How many tasks of each status are searched for an assignee, because Convex has no index over array elements. */
const PER_STATUS = 29;
const MAX_SCAN = 200;
const SEARCH_SCAN = 1000;

/** Tasks, the newest first. @param limit 50 when absent, 1 to 200 */
export async function listTasks(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  query: { status?: TaskStatus; assigneeAgentId?: Id<'agents'>; limit?: number },
): Promise<Doc<'tasks'>[]> {
  const { status, assigneeAgentId: assignee } = query;
  const limit = clampLimit(query.limit, 50, 200);
  if (status !== undefined) {
    const scan = assignee === undefined ? limit : Math.min(10 * limit, MAX_SCAN);
    return ofAssignee(await newestOf(ctx, account, status, scan), assignee).slice(0, limit);
  }
  if (assignee === undefined) {
    return await ctx.db
      .query('tasks')
      .withIndex('by_account_created', (q) => q.eq('accountId', account._id))
      .order('desc')
      .take(limit);
  }
  const found: Doc<'tasks'>[] = [];
  for (const one of TASK_STATUSES) {
    found.push(...ofAssignee(await newestOf(ctx, account, one, PER_STATUS), assignee));
  }
  return found.sort((a, b) => b.updatedAt - a.updatedAt).slice(0, limit);
}

const ofAssignee = (tasks: Doc<'tasks'>[], assignee: Id<'agents'> | undefined): Doc<'tasks'>[] =>
  assignee === undefined ? tasks : tasks.filter((task) => task.assignedAgentIds.includes(assignee));

async function newestOf(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  status: TaskStatus,
  count: number,
): Promise<Doc<'tasks'>[]> {
  return await ctx.db
    .query('tasks')
    .withIndex('by_account_status_created', (q) => q.eq('accountId', account._id).eq('status', status))
    .order('desc')
    .take(count);
}

export const foundTask = v.object({
  _id: v.id('tasks'),
  title: v.string(),
  status: taskStatus,
  priority: v.number(),
  blockedReason: v.optional(v.string()),
  assignedAgentIds: v.array(v.id('agents')),
  assignedUserIds: v.array(v.string()),
  createdAt: v.number(),
  updatedAt: v.number(),
  relevanceScore: v.number(),
});

/** Tasks that hold the query word for word, in any case: title 3, description 2, reason 1. @param limit 20, 1 to 100 */
export async function searchTasks(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  { query, limit }: { query: string; limit?: number },
): Promise<Infer<typeof foundTask>[]> {
  const needle = query.trim().toLowerCase();
  if (needle === '') return [];
  const newest = await ctx.db
    .query('tasks')
    .withIndex('by_account_created', (q) => q.eq('accountId', account._id))
    .order('desc')
    .take(SEARCH_SCAN);
  const holds = (text: string | undefined): boolean => text?.toLowerCase().includes(needle) === true;
  return newest
    .map((task) => ({
      task,
      relevanceScore:
        (holds(task.title) ? 3 : 0) + (holds(task.description) ? 2 : 0) + (holds(task.blockedReason) ? 1 : 0),
    }))
    .filter(({ relevanceScore }) => relevanceScore > 0)
    .sort((a, b) => b.relevanceScore - a.relevanceScore || a.task.createdAt - b.task.createdAt)
    .slice(0, clampLimit(limit, 20, 100))
    .map(({ task, relevanceScore }) => ({
      _id: task._id,
      title: task.title,
      status: task.status,
      priority: task.priority,
      blockedReason: task.blockedReason,
      assignedAgentIds: task.assignedAgentIds,
      assignedUserIds: task.assignedUserIds,
      createdAt: task.createdAt,
      updatedAt: task.updatedAt,
      relevanceScore,
    }));
}

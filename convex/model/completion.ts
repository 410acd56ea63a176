/** Ends a notification in one transaction (docs/contract-extensions.md#completedelivery). */
import { ConvexError, v } from 'convex/values';
import type { Infer } from 'convex/values';
import type { Doc } from '../_generated/dataModel.js';
import type { MutationCtx } from '../_generated/server.js';
import { requireAgent } from './agents.ts';
import { changeTaskStatus } from './agentTaskStatus.ts';
import { failure } from './errors.ts';
import { postMessage } from './messages.ts';
import { requireTask } from './tasks.ts';

export const rowVersion = v.object({ messageId: v.union(v.id('messages'), v.null()), createdAt: v.number() });
export type RowVersion = Infer<typeof rowVersion>;

export const isAtVersion = (row: Doc<'notifications'>, { messageId, createdAt }: RowVersion): boolean =>
  (row.messageId ?? null) === messageId && row.createdAt === createdAt;

export interface Reply {
  content: string;
  version: RowVersion;
  /** The runtime has posted no message for this notification yet. So a message without a version is this one. */
  first: boolean;
  /** The assignee has answered: a task that is still assigned moves to in_progress. */
  startsTask: boolean;
}

/** Posts the reply unless the thread has it already. @throws NOT_FOUND, FORBIDDEN, INVALID as createMessageFromAgent does */
export async function postReply(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  row: Doc<'notifications'>,
  { content, version, first, startsTask }: Reply,
): Promise<void> {
  const agentId = ctx.db.normalizeId('agents', row.recipientId);
  if (agentId === null || row.taskId === undefined) {
    throw failure('INVALID', 'Invalid reply: the notification has no agent or no task');
  }
  const agent = await requireAgent(ctx, account, agentId);
  const task = await requireTask(ctx, account, row.taskId);
  const sourceVersion = `${version.createdAt}/${version.messageId ?? ''}`;
  if (!(await isPosted(ctx, row, sourceVersion, first))) {
    const author = { type: 'agent', id: agent._id, name: agent.name } as const;
    await postMessage(ctx, account, task, {
      author,
      agent,
      content,
      sourceNotificationId: row._id,
      sourceVersion,
    });
  }
  if (startsTask && task.status === 'assigned') await startTask(ctx, account, agent, task);
}

async function isPosted(
  ctx: MutationCtx,
  row: Doc<'notifications'>,
  sourceVersion: string,
  first: boolean,
): Promise<boolean> {
  const find = (version: string | undefined) =>
    ctx.db
      .query('messages')
      .withIndex('by_source', (q) => q.eq('sourceNotificationId', row._id).eq('sourceVersion', version))
      .first();
  if ((await find(sourceVersion)) !== null) return true;
  // A message that createMessageFromAgent posted names no version.
  return first && (await find(undefined)) !== null;
}

/** Moves the task if the agent may do that. All checks come before the first write. */
async function startTask(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  agent: Doc<'agents'>,
  task: Doc<'tasks'>,
): Promise<void> {
  try {
    await changeTaskStatus(ctx, account, agent, task, { status: 'in_progress', expectedStatus: 'assigned' });
  } catch (error) {
    if (!(error instanceof ConvexError)) throw error;
  }
}

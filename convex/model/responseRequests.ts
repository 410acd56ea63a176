/** One agent asks others for an answer in a thread. */
import type { Doc, Id } from '../_generated/dataModel.js';
import type { MutationCtx, QueryCtx } from '../_generated/server.js';
import { listAccountAgents } from './agents.ts';
import { effectiveBehaviorFlags } from './behaviorFlags.ts';
import { failure } from './errors.ts';
import { notify } from './notifications.ts';

const MAX_RECIPIENTS = 10;
const MAX_MESSAGE = 1000;
const ASK_AGAIN_MS = 4 * 60 * 60 * 1000;

/**
 * One `response_request` row for each recipient that may be asked now. @returns the rows that were made
 * @throws INVALID or FORBIDDEN with the contract's sentences
 */
export async function requestResponses(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  requester: Doc<'agents'>,
  task: Doc<'tasks'>,
  { recipientSlugs, message }: { recipientSlugs: string[]; message: string },
): Promise<Id<'notifications'>[]> {
  if (!effectiveBehaviorFlags(account, requester).canMentionAgents) {
    throw failure('FORBIDDEN', 'Forbidden: Agent may not request responses');
  }
  if (recipientSlugs.length > MAX_RECIPIENTS) {
    throw failure('INVALID', `Too many recipients: max ${MAX_RECIPIENTS} allowed per request`);
  }
  if (message.trim() === '') throw failure('INVALID', 'Message is required');
  if (message.trim().length > MAX_MESSAGE) {
    throw failure('INVALID', `Message too long: max ${MAX_MESSAGE} characters allowed`);
  }
  const made: Id<'notifications'>[] = [];
  for (const recipient of await resolveRecipients(ctx, account, requester, recipientSlugs)) {
    if (await isWaitedFor(ctx, task._id, recipient._id)) continue;
    const notice = {
      type: 'response_request',
      title: `${requester.name} asks for your answer`,
      body: message,
    } as const;
    made.push(await notify(ctx, account._id, { type: 'agent', id: recipient._id }, notice, task._id));
  }
  return made;
}

async function resolveRecipients(
  ctx: QueryCtx,
  account: Doc<'accounts'>,
  requester: Doc<'agents'>,
  given: string[],
): Promise<Doc<'agents'>[]> {
  const slugs = [...new Set(given.map((slug) => slug.trim().toLowerCase()).filter(Boolean))];
  if (slugs.length === 0) throw failure('INVALID', 'Invalid recipient slugs: none provided');
  const agents = await listAccountAgents(ctx, account._id);
  const found = slugs.map((slug) => agents.find((agent) => agent.slug.toLowerCase() === slug));
  const unknown = slugs.filter((_, index) => found[index] === undefined);
  if (unknown.length > 0) throw failure('INVALID', `Unknown recipient slugs: ${unknown.join(', ')}`);
  const others = found.filter((agent) => agent !== undefined).filter(({ _id }) => _id !== requester._id);
  if (others.length === 0) throw failure('INVALID', 'No valid recipients after filtering');
  return others;
}

/** Whether the last request still waits for an answer: undelivered, or delivered and less than four hours old. */
async function isWaitedFor(ctx: QueryCtx, taskId: Id<'tasks'>, agentId: Id<'agents'>): Promise<boolean> {
  const latest = await ctx.db
    .query('notifications')
    .withIndex('by_recipient_task_newest', (q) =>
      q
        .eq('recipientType', 'agent')
        .eq('recipientId', agentId)
        .eq('taskId', taskId)
        .eq('type', 'response_request'),
    )
    .order('desc')
    .first();
  if (!latest) return false;
  const answer = await ctx.db
    .query('messages')
    .withIndex('by_task_author', (q) =>
      q
        .eq('taskId', taskId)
        .eq('authorType', 'agent')
        .eq('authorId', agentId)
        .gt('createdAt', latest.createdAt),
    )
    .first();
  if (answer) return false;
  return latest.deliveredAt === undefined || Date.now() - latest.createdAt < ASK_AGAIN_MS;
}

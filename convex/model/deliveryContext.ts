/** All that a runtime needs to know about one notification (docs/contract.md#delivery-context). */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import type { Doc, Id } from '../_generated/dataModel.js';
import type { MutationCtx, QueryCtx } from '../_generated/server.js';
import schema from '../schema.ts';
import { behaviorFlags, threadMessage } from '../shapes.ts';
import { listAccountAgents } from './agents.ts';
import { effectiveBehaviorFlags } from './behaviorFlags.ts';
import { findMember } from './members.ts';
import { ensureSession } from './sessions.ts';
import { loadTaskOverview, taskOverview } from './taskOverview.ts';
import { loadThread } from './thread.ts';

const THREAD_MESSAGES = 50;
const MAX_THREAD_CONTENT = 2000;
const MAX_DOCUMENT = 50_000;
/** Of a document's name: the deleted ones are passed over. */
const MAX_NAMESAKES = 20;

const orNull = <T extends Parameters<typeof v.union>[number]>(validator: T) => v.union(validator, v.null());

const mentionableAgent = v.object({
  id: v.id('agents'),
  slug: v.string(),
  name: v.string(),
  role: v.string(),
});
const promptDocument = v.object({ title: v.string(), content: v.string() });

export const deliveryContext = v.object({
  notification: schema.doc('notifications'),
  agent: orNull(schema.doc('agents')),
  task: orNull(schema.doc('tasks')),
  message: orNull(schema.doc('messages')),
  thread: v.array(threadMessage),
  sourceNotificationType: orNull(v.string()),
  orchestratorAgentId: orNull(v.id('agents')),
  primaryUserMention: orNull(v.object({ id: v.string(), name: v.string(), email: orNull(v.string()) })),
  mentionableAgents: v.array(mentionableAgent),
  assignedAgents: v.array(mentionableAgent),
  effectiveBehaviorFlags: behaviorFlags,
  deliverySessionKey: v.optional(v.string()),
  repositoryDoc: orNull(promptDocument),
  globalBriefingDoc: orNull(promptDocument),
  taskOverview: orNull(taskOverview),
});
type DeliveryContext = Infer<typeof deliveryContext>;

/** Reads the whole context, and opens the agent's session when none is open. */
export async function loadDeliveryContext(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  notification: Doc<'notifications'>,
): Promise<DeliveryContext> {
  const agent = await recipientAgent(ctx, notification);
  const task = await ownTask(ctx, notification);
  const message = await ownMessage(ctx, notification);
  const thread = task ? await loadThread(ctx, task, THREAD_MESSAGES, MAX_THREAD_CONTENT) : [];
  const inChat = task !== null && task._id === account.settings?.orchestratorChatTaskId;
  const team = await loadTeam(ctx, account._id);
  return {
    notification,
    agent,
    task,
    message,
    thread,
    sourceNotificationType: await sourceType(ctx, message),
    orchestratorAgentId: account.settings?.orchestratorAgentId ?? null,
    primaryUserMention: await primaryUser(ctx, account._id, task, thread),
    mentionableAgents: team,
    assignedAgents: team.filter(({ id }) => task?.assignedAgentIds.includes(id)),
    effectiveBehaviorFlags: effectiveBehaviorFlags(account, agent),
    ...(agent && { deliverySessionKey: await ensureSession(ctx, agent, notification.taskId) }),
    repositoryDoc: await referenceDocument(ctx, account._id, 'Repository — Primary'),
    globalBriefingDoc: inChat ? await referenceDocument(ctx, account._id, 'Account Briefing') : null,
    taskOverview: inChat ? await loadTaskOverview(ctx, account._id) : null,
  };
}

async function recipientAgent(ctx: QueryCtx, row: Doc<'notifications'>): Promise<Doc<'agents'> | null> {
  if (row.recipientType !== 'agent') return null;
  const agentId = ctx.db.normalizeId('agents', row.recipientId);
  const agent = agentId && (await ctx.db.get('agents', agentId));
  return agent?.accountId === row.accountId ? agent : null;
}

async function ownTask(ctx: QueryCtx, row: Doc<'notifications'>): Promise<Doc<'tasks'> | null> {
  const task = row.taskId ? await ctx.db.get('tasks', row.taskId) : null;
  return task?.accountId === row.accountId ? task : null;
}

async function ownMessage(ctx: QueryCtx, row: Doc<'notifications'>): Promise<Doc<'messages'> | null> {
  const message = row.messageId ? await ctx.db.get('messages', row.messageId) : null;
  return message && message.accountId === row.accountId && message.taskId === row.taskId ? message : null;
}

/** The type of the notification that the message answered. A runtime uses it to stop loops between agents. */
async function sourceType(ctx: QueryCtx, message: Doc<'messages'> | null): Promise<string | null> {
  if (!message?.sourceNotificationId) return null;
  const source = await ctx.db.get('notifications', message.sourceNotificationId);
  return source?.accountId === message.accountId ? source.type : null;
}

async function primaryUser(
  ctx: QueryCtx,
  accountId: Id<'accounts'>,
  task: Doc<'tasks'> | null,
  thread: DeliveryContext['thread'],
): Promise<DeliveryContext['primaryUserMention']> {
  const latest = thread.findLast(({ authorType }) => authorType === 'user');
  const userId = latest?.authorId ?? task?.createdBy;
  const member = userId === undefined ? null : await findMember(ctx, accountId, userId);
  return member && { id: member.userId, name: member.name, email: member.email ?? null };
}

async function loadTeam(
  ctx: QueryCtx,
  accountId: Id<'accounts'>,
): Promise<DeliveryContext['mentionableAgents']> {
  const agents = await listAccountAgents(ctx, accountId);
  const sortKey = (agent: { slug: string; name: string }): string => (agent.slug || agent.name).toLowerCase();
  return agents
    .map(({ _id, slug, name, role }) => ({ id: _id, slug, name, role }))
    .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

async function referenceDocument(
  ctx: QueryCtx,
  accountId: Id<'accounts'>,
  title: string,
): Promise<{ title: string; content: string } | null> {
  const named = await ctx.db
    .query('documents')
    .withIndex('by_account_title', (q) =>
      q.eq('accountId', accountId).eq('type', 'reference').eq('title', title),
    )
    .take(MAX_NAMESAKES);
  const found = named.find(({ deletedAt }) => deletedAt === undefined);
  return found ? { title, content: (found.content ?? '').slice(0, MAX_DOCUMENT) } : null;
}

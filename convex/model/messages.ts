/** Writing in a task's thread, and who hears of it (docs/contract.md#who-hears). */
import type { Doc, Id } from '../_generated/dataModel.js';
import type { MutationCtx } from '../_generated/server.js';
import type { Mention } from '../shapes.ts';
import { logActivity } from './activities.ts';
import type { Actor } from './activities.ts';
import { listAccountAgents } from './agents.ts';
import { effectiveBehaviorFlags } from './behaviorFlags.ts';
import { failure } from './errors.ts';
import { listMembers } from './members.ts';
import { resolveMentions } from './mentions.ts';
import { notify, notifyThreadUpdate } from './notifications.ts';
import type { Recipient } from './notifications.ts';
import { listSubscribers, subscribe, subscribeOrchestrator } from './subscriptions.ts';
import { isOrchestratorChat } from './tasks.ts';

const MAX_CONTENT = 100_000;
const MAX_PREVIEW = 500;

export interface Draft {
  author: Actor & Recipient;
  /** The author's row when an agent writes: its flags say whether it may mention other agents. */
  agent: Doc<'agents'> | null;
  content: string;
  attachments?: Doc<'messages'>['attachments'];
  sourceNotificationId?: Id<'notifications'>;
  sourceVersion?: string;
  suppressAgentNotifications?: boolean;
}

/**
 * Adds a message to the thread and tells those who must hear of it.
 * @throws INVALID when the content is over 100,000 characters
 */
export async function postMessage(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  task: Doc<'tasks'>,
  draft: Draft,
): Promise<Id<'messages'>> {
  if (draft.content.length > MAX_CONTENT) {
    throw failure('INVALID', `Message content too long (max ${MAX_CONTENT} characters)`);
  }
  const { author, content, attachments, sourceNotificationId, sourceVersion } = draft;
  const members = await listMembers(ctx, account._id);
  const agents = await listAccountAgents(ctx, account._id);
  const mentions = resolveMentions(content, members, agents, author.id);
  const now = Date.now();
  const messageId = await ctx.db.insert('messages', {
    accountId: account._id,
    taskId: task._id,
    authorType: author.type,
    authorId: author.id,
    content,
    mentions,
    attachments,
    createdAt: now,
    sourceNotificationId,
    sourceVersion,
  });
  await ctx.db.patch('tasks', task._id, { updatedAt: now, lastMessageAt: now });
  await logActivity(ctx, account._id, 'message_created', author, {
    type: 'message',
    id: messageId,
    name: task.title,
  });
  await subscribe(ctx, task._id, author);
  const notified = mentions.filter(mentionFilter(account, task, draft));
  for (const mention of notified) await tellMentioned(ctx, task, author, mention, messageId);
  await subscribeOrchestrator(ctx, account, task._id);
  await tellSubscribers(ctx, account, task, draft, { messageId, mentions, notified });
  return messageId;
}

/** A user hears every mention. An agent does not when the author may not mention agents, or in the orchestrator's chat. */
function mentionFilter(account: Doc<'accounts'>, task: Doc<'tasks'>, draft: Draft) {
  const mayCallAgents = draft.agent === null || effectiveBehaviorFlags(account, draft.agent).canMentionAgents;
  const agentsHear =
    mayCallAgents && draft.suppressAgentNotifications !== true && !isOrchestratorChat(account, task);
  return (mention: Mention): boolean => mention.type === 'user' || agentsHear;
}

async function tellMentioned(
  ctx: MutationCtx,
  task: Doc<'tasks'>,
  author: Actor,
  mention: Mention,
  messageId: Id<'messages'>,
): Promise<void> {
  await subscribe(ctx, task._id, mention);
  await notify(
    ctx,
    task.accountId,
    mention,
    {
      type: 'mention',
      title: `${author.name} mentioned you`,
      body: `You were mentioned in task "${task.title}"`,
      messageId,
    },
    task._id,
  );
}

async function tellSubscribers(
  ctx: MutationCtx,
  account: Doc<'accounts'>,
  task: Doc<'tasks'>,
  draft: Draft,
  posted: { messageId: Id<'messages'>; mentions: Mention[]; notified: Mention[] },
): Promise<void> {
  const hears = threadUpdateFilter(account, task, draft, posted.mentions);
  const told = new Set([draft.author.id, ...posted.notified.map(({ id }) => id)]);
  const news = {
    title: `${draft.author.name} wrote in "${task.title}"`,
    body: draft.content.slice(0, MAX_PREVIEW),
    messageId: posted.messageId,
  };
  for (const subscriber of await listSubscribers(ctx, task._id)) {
    if (!told.has(subscriber.id) && hears(subscriber)) await notifyThreadUpdate(ctx, task, subscriber, news);
  }
}

/** Which subscribers hear of a message: every user, and agents by the rules of docs/contract.md#who-hears. */
function threadUpdateFilter(
  account: Doc<'accounts'>,
  task: Doc<'tasks'>,
  draft: Draft,
  mentions: Mention[],
): (subscriber: Recipient) => boolean {
  const quiet =
    task.status === 'done' || task.status === 'blocked' || draft.suppressAgentNotifications === true;
  const chat = isOrchestratorChat(account, task);
  const callsAnAgent = mentions.some(({ type }) => type === 'agent');
  return (subscriber) => {
    if (subscriber.type === 'user') return true;
    if (quiet) return false;
    return chat ? subscriber.id === account.settings?.orchestratorAgentId : !callsAnAgent;
  };
}

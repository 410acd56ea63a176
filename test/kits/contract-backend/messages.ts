/** Writing in a thread, and who hears of it (docs/contract.md#who-hears). */
import { failure } from '../../../convex/model/errors.ts';
import { mentionedNames } from '../../../convex/model/mentions.ts';
import { agentsBySlug } from './agents.ts';
import { monotonicMs } from './history.ts';
import { notify, notifyThreadUpdate } from './queue.ts';
import type { Message, Party, Task } from './rows.ts';
import { getOrMake, type Store } from './store.ts';
import { subscribe, subscribeOrchestrator, subscribersOf } from './subscriptions.ts';

const MAX_CONTENT = 100_000;
const MAX_PREVIEW = 500;

export interface Draft {
  author: Party & { name: string };
  content: string;
  sourceNotificationId?: string | undefined;
  suppressAgentNotifications?: boolean | undefined;
}

/** @throws ConvexError INVALID when the content is over 100,000 characters */
export function postMessage(store: Store, task: Task, draft: Draft): Message {
  if (draft.content.length > MAX_CONTENT) {
    throw failure('INVALID', `Message content too long (max ${MAX_CONTENT} characters)`);
  }
  const message = insertMessage(store, task, draft);
  subscribe(store, task._id, draft.author);
  const notified = tellMentioned(store, task, draft, message);
  subscribeOrchestrator(store, task._id);
  tellSubscribers(store, task, draft, message, notified);
  return message;
}

function insertMessage(store: Store, task: Task, draft: Draft): Message {
  const { author, content, sourceNotificationId } = draft;
  const message: Message = {
    ...store.newRow(),
    accountId: store.account._id,
    taskId: task._id,
    authorType: author.type,
    authorId: author.id,
    content,
    mentions: resolveMentions(store, content, author.id),
    createdAt: store.now(),
    ...(sourceNotificationId !== undefined && { sourceNotificationId }),
  };
  store.messages.set(message._id, message);
  getOrMake(store.threads, task._id, () => []).push(message);
  if (sourceNotificationId !== undefined) store.answers.set(sourceNotificationId, message);
  store.history?.messages.set(message._id, monotonicMs());
  task.updatedAt = message.createdAt;
  task.lastMessageAt = message.createdAt;
  return message;
}

function resolveMentions(store: Store, content: string, authorId: string): Message['mentions'] {
  // Most messages mention nobody, and a busy account has many agents.
  if (!content.includes('@')) return [];
  const names = new Set(mentionedNames(content));
  const everyone: Message['mentions'] = [
    ...store.members.map(({ userId, name }) => ({ type: 'user' as const, id: userId, name })),
    ...agentsBySlug(store).map(({ _id, name, slug }) => ({ type: 'agent' as const, id: _id, name, slug })),
  ];
  return everyone.filter(
    ({ id, name, slug }) =>
      id !== authorId &&
      (names.has('all') || names.has(name.toLowerCase()) || (slug !== undefined && names.has(slug))),
  );
}

function tellMentioned(store: Store, task: Task, draft: Draft, message: Message): Party[] {
  const agentsHear = draft.suppressAgentNotifications !== true;
  const notified = message.mentions.filter(({ type }) => type === 'user' || agentsHear);
  for (const mentioned of notified) {
    subscribe(store, task._id, mentioned);
    const title = `${draft.author.name} mentioned you`;
    const body = `You were mentioned in task "${task.title}"`;
    notify(store, mentioned, { type: 'mention', title, body, messageId: message._id }, task._id);
  }
  return notified;
}

function tellSubscribers(
  store: Store,
  task: Task,
  draft: Draft,
  message: Message,
  notified: readonly Party[],
): void {
  const told = new Set([draft.author.id, ...notified.map(({ id }) => id)]);
  const agentsHear =
    draft.suppressAgentNotifications !== true && !message.mentions.some(({ type }) => type === 'agent');
  const news = {
    title: `${draft.author.name} wrote in "${task.title}"`,
    body: draft.content.slice(0, MAX_PREVIEW),
    messageId: message._id,
  };
  for (const subscriber of subscribersOf(store, task._id)) {
    if (told.has(subscriber.id) || (subscriber.type === 'agent' && !agentsHear)) continue;
    notifyThreadUpdate(store, task._id, subscriber, news);
  }
}

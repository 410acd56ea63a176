import { agentsBySlug } from './agents.ts';
import { monotonicMs } from './history.ts';
import type { Message, Notification, Task } from './rows.ts';
import { sessionKeyOf } from './sessions.ts';
import type { Store } from './store.ts';

const THREAD_MESSAGES = 50;
const MAX_THREAD_CONTENT = 2_000;

/**
 * The context of a notification (docs/contract.md#delivery-context), without documents and orchestrator chat. Opens a
 * session when none is open.
 */
export function loadContext(store: Store, row: Notification) {
  const agent = row.recipientType === 'agent' ? (store.agentsById.get(row.recipientId) ?? null) : null;
  const task = row.taskId === undefined ? null : (store.tasks.get(row.taskId) ?? null);
  const found = row.messageId === undefined ? undefined : store.messages.get(row.messageId);
  const message = found !== undefined && found.taskId === row.taskId ? found : null;
  const thread = task === null ? [] : loadThread(store, task, THREAD_MESSAGES, MAX_THREAD_CONTENT);
  const team = agentsBySlug(store).map(({ _id, slug, name, role }) => ({ id: _id, slug, name, role }));
  store.history?.notifications.get(row._id)?.loads.push({ at: monotonicMs(), createdAt: row.createdAt });
  return {
    notification: row,
    agent,
    task,
    message,
    thread,
    sourceNotificationType: sourceType(store, message),
    orchestratorAgentId: store.account.orchestratorAgentId,
    primaryUserMention: primaryUser(store, task, thread),
    mentionableAgents: team,
    assignedAgents: team.filter(({ id }) => task?.assignedAgentIds.includes(id)),
    effectiveBehaviorFlags: (agent ?? agentsBySlug(store)[0])?.behaviorFlags,
    ...(agent !== null && { deliverySessionKey: sessionKeyOf(agent, row.taskId) }),
    repositoryDoc: null,
    globalBriefingDoc: null,
    taskOverview: null,
  };
}

/** The newest messages of a task, oldest first, each cut to `maxContent` characters and "…". */
export function loadThread(store: Store, task: Task, limit: number, maxContent = Infinity) {
  return (store.threads.get(task._id) ?? []).slice(-limit).map((message) => ({
    messageId: message._id,
    authorType: message.authorType,
    authorId: message.authorId,
    authorName: authorName(store, message),
    content:
      message.content.length > maxContent ? `${message.content.slice(0, maxContent)}…` : message.content,
    createdAt: message.createdAt,
  }));
}

const authorName = (store: Store, { authorType, authorId }: Message): string | null =>
  (authorType === 'agent'
    ? store.agentsById.get(authorId)?.name
    : store.members.find(({ userId }) => userId === authorId)?.name) ?? null;

function sourceType(store: Store, message: Message | null): string | null {
  if (message?.sourceNotificationId === undefined) return null;
  return store.notifications.get(message.sourceNotificationId)?.type ?? null;
}

function primaryUser(store: Store, task: Task | null, thread: ReturnType<typeof loadThread>) {
  const latest = thread.findLast(({ authorType }) => authorType === 'user')?.authorId ?? task?.createdBy;
  const member = store.members.find(({ userId }) => userId === latest);
  return member === undefined ? null : { id: member.userId, name: member.name, email: null };
}

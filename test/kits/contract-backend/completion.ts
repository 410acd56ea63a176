import { failure } from '../../../convex/model/errors.ts';
import { postMessage } from './messages.ts';
import { markDelivered } from './queue.ts';
import type { Notification } from './rows.ts';
import { getOrMake, type Store } from './store.ts';
import { changeTaskStatus } from './tasks.ts';

interface Version {
  messageId: string | null;
  createdAt: number;
}

interface Reply {
  content: string;
  first: boolean;
  startsTask: boolean;
}

/** `completeDelivery`: posts once, moves the task, and marks the row unless it has moved. @returns whether it is marked */
export function complete(store: Store, row: Notification, version: Version, reply: Reply | null): boolean {
  if (reply !== null) postReply(store, row, version, reply);
  if ((row.messageId ?? null) !== version.messageId || row.createdAt !== version.createdAt) return false;
  markDelivered(store, row);
  return true;
}

function postReply(store: Store, row: Notification, version: Version, reply: Reply): void {
  const agent = store.agentsById.get(row.recipientId);
  const task = store.tasks.get(row.taskId ?? '');
  if (agent === undefined || task === undefined) throw failure('NOT_FOUND', 'Not found: Task does not exist');
  const versions = getOrMake(store.answeredVersions, row._id, () => new Set());
  const key = `${version.createdAt}/${version.messageId ?? ''}`;
  // A reply that was posted by the contract's own function is known by its notification alone.
  const isPosted = versions.has(key) || (reply.first && versions.size === 0 && store.answers.has(row._id));
  if (!isPosted) {
    const author = { type: 'agent', id: agent._id, name: agent.name } as const;
    postMessage(store, task, { author, content: reply.content, sourceNotificationId: row._id });
    versions.add(key);
  }
  if (reply.startsTask) {
    changeTaskStatus(store, agent, task, { status: 'in_progress', expectedStatus: 'assigned' });
  }
}

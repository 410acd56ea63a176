import type { NotificationType } from '../../../machines/shared/mission-control.ts';
import { monotonicMs } from './history.ts';
import type { Notification, Party } from './rows.ts';
import { partyKey, type Store } from './store.ts';

export interface Notice {
  type: NotificationType;
  title: string;
  body: string;
  messageId?: string;
}

/** Puts one row in the recipient's queue. */
export function notify(store: Store, recipient: Party, notice: Notice, taskId?: string): Notification {
  const row: Notification = {
    ...store.newRow(),
    accountId: store.account._id,
    recipientType: recipient.type,
    recipientId: recipient.id,
    ...(taskId !== undefined && { taskId }),
    ...notice,
    createdAt: store.now(),
  };
  store.notifications.set(row._id, row);
  if (row.recipientType === 'agent') store.queue.set(row._id, row);
  noteVersion(store, row);
  return row;
}

/** Tells a subscriber of news in a thread. A row that still waits takes the newer message in (docs/contract.md#who-hears). */
export function notifyThreadUpdate(
  store: Store,
  taskId: string,
  recipient: Party,
  news: Required<Omit<Notice, 'type'>>,
): void {
  const key = updateKey(recipient.type, recipient.id, taskId);
  const waiting = store.waitingUpdates.get(key);
  if (waiting === undefined) {
    store.waitingUpdates.set(key, notify(store, recipient, { type: 'thread_update', ...news }, taskId));
    return;
  }
  Object.assign(waiting, news, { createdAt: store.now() });
  if (store.queue.delete(waiting._id)) store.queue.set(waiting._id, waiting);
  noteVersion(store, waiting);
}

/** A row that is marked already keeps its first mark. */
export function markDelivered(store: Store, row: Notification): void {
  if (row.deliveredAt !== undefined) return;
  row.deliveredAt = store.now();
  store.drain.lastMarkedAt = monotonicMs();
  store.queue.delete(row._id);
  if (row.type === 'thread_update' && row.taskId !== undefined) {
    store.waitingUpdates.delete(updateKey(row.recipientType, row.recipientId, row.taskId));
  }
  const history = store.history?.notifications.get(row._id);
  if (history !== undefined) history.deliveredAt = monotonicMs();
}

export function startTyping(store: Store, row: Notification): void {
  row.readAt ??= store.now();
  delete row.deliveryEndedAt;
}

/** The oldest rows, by `createdAt`, then by age. A row that moved stands later in the map than its age says. */
export function oldestRows(store: Store, limit: number): Notification[] {
  const page: Notification[] = [];
  for (const row of store.queue.values()) {
    if (page.length >= limit && row.createdAt !== page.at(-1)?.createdAt) break;
    page.push(row);
  }
  if (page.length > 0) store.drain.firstListedAt ??= monotonicMs();
  return page.sort((a, b) => a.createdAt - b.createdAt || a._creationTime - b._creationTime).slice(0, limit);
}

const updateKey = (type: Party['type'], id: string, taskId: string): string =>
  `${partyKey(type, id)}/${taskId}`;

function noteVersion(store: Store, { _id, recipientType, createdAt, messageId }: Notification): void {
  if (recipientType === 'agent') {
    store.arrivals += 1;
    store.onArrival();
  }
  const { history } = store;
  if (history === null) return;
  const version = { at: monotonicMs(), createdAt, messageId: messageId ?? null };
  const known = history.notifications.get(_id);
  if (known === undefined)
    history.notifications.set(_id, { versions: [version], loads: [], deliveredAt: null });
  else known.versions.push(version);
}

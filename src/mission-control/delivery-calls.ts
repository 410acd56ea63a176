import { Fault } from '../../machines/shared/fault.ts';
import { MAX_MESSAGE_LENGTH, MAX_PAGE, type NotificationRow } from '../../machines/shared/mission-control.ts';
import type { MissionControl, PostMessage } from '../ports.ts';
import type { ServiceClient } from './client.ts';
import { service } from './functions.ts';
import type { Malformed } from './parse.ts';
import { createdMessage, deliveryContext, notificationRow } from './schemas.ts';

type DeliveryCalls = Pick<
  MissionControl,
  | 'listUndelivered'
  | 'loadContext'
  | 'markRead'
  | 'markDeliveryEnded'
  | 'markDelivered'
  | 'postMessage'
  | 'updateTaskStatus'
>;

export function deliveryCalls(client: ServiceClient, report: (rows: Malformed[]) => void): DeliveryCalls {
  return {
    listUndelivered: (limit, signal) => listUndelivered(client, report, limit, signal),
    loadContext: (notificationId, signal) =>
      client.read(deliveryContext, service.getNotificationForDelivery, { notificationId }, signal),
    markRead: (notificationId, signal) =>
      client.run(service.markNotificationRead, { notificationId }, signal),
    markDeliveryEnded: (notificationId, signal) =>
      client.run(service.markNotificationDeliveryEnded, { notificationId }, signal),
    markDelivered: (notificationId, signal) =>
      client.run(service.markNotificationDelivered, { notificationId }, signal),
    postMessage: (message, signal) => postMessage(client, message, signal),
    updateTaskStatus: ({ taskId, agentId, status, expectedStatus }, signal) =>
      client.run(service.updateTaskStatusFromAgent, { taskId, agentId, status, expectedStatus }, signal),
  };
}

/**
 * Malformed rows are listed again for ever, oldest first: left alone, a page full of them would hide all rows behind
 * it, and a short page would look like the last one. So the page grows until it holds `limit` good rows.
 */
async function listUndelivered(
  client: ServiceClient,
  report: (rows: Malformed[]) => void,
  limit: number,
  signal?: AbortSignal,
): Promise<NotificationRow[]> {
  for (let asked = limit; ;) {
    const page = await client.list(
      notificationRow,
      service.listUndeliveredNotifications,
      { limit: asked },
      signal,
    );
    const { rows, malformed } = page;
    const isLastPage = rows.length + malformed.length < asked || asked >= MAX_PAGE;
    if (rows.length >= limit || isLastPage) {
      report(malformed);
      return rows.slice(0, limit);
    }
    asked = Math.min(MAX_PAGE, asked * 2);
  }
}

async function postMessage(
  client: ServiceClient,
  message: PostMessage,
  signal?: AbortSignal,
): Promise<string> {
  const { taskId, agentId, sourceNotificationId, suppressAgentNotifications } = message;
  // Half a surrogate pair (a text that was cut) is no valid JSON for the backend, which would refuse all of it.
  const content = message.content.toWellFormed();
  if (content.length > MAX_MESSAGE_LENGTH) {
    throw new Fault(
      'textTooLong',
      `The message has ${content.length} characters, the backend takes ${MAX_MESSAGE_LENGTH} in ` +
        'createMessageFromAgent.',
    );
  }
  const args = { taskId, agentId, content, sourceNotificationId, suppressAgentNotifications };
  const { messageId } = await client.read(createdMessage, service.createMessageFromAgent, args, signal);
  return messageId;
}

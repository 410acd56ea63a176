import * as v from 'valibot';
import { Fault } from '../../machines/shared/fault.ts';
import { MAX_MESSAGE_LENGTH, MAX_PAGE, type NotificationRow } from '../../machines/shared/mission-control.ts';
import type { MissionControl } from '../ports.ts';
import type { ServiceClient } from './client.ts';
import { service } from './functions.ts';
import * as schemas from './schemas.ts';

/** What the contract has a function for; extension-calls.ts has the rest. */
export type ContractCalls = Omit<
  MissionControl,
  'askExtensions' | 'listWithContexts' | 'releaseRows' | 'beginDelivery' | 'completes' | 'completeDelivery'
>;

/** The contract's own functions (docs/contract.md#functions). The backend refuses a call that has a field too many. */
export const contractCalls = (client: ServiceClient): ContractCalls => ({
  listUndelivered: (limit, signal) => listUndelivered(client, limit, signal),
  loadContext: (notificationId, signal) =>
    client.read(schemas.deliveryContext, service.getNotificationForDelivery, { notificationId }, signal),
  markRead: (notificationId, signal) => client.run(service.markNotificationRead, { notificationId }, signal),
  markDeliveryEnded: (notificationId, signal) =>
    client.run(service.markNotificationDeliveryEnded, { notificationId }, signal),
  markDelivered: (notificationId, signal) =>
    client.run(service.markNotificationDelivered, { notificationId }, signal),
  async postMessage(message, signal) {
    const content = sendable(message.content);
    if (content.length > MAX_MESSAGE_LENGTH) {
      throw new Fault(
        'textTooLong',
        `The message has ${content.length} characters, the backend takes ${MAX_MESSAGE_LENGTH} in createMessageFromAgent.`,
      );
    }
    const args = { ...message, content };
    const posted = await client.read(schemas.createdMessage, service.createMessageFromAgent, args, signal);
    return posted.messageId;
  },
  updateTaskStatus: (change, signal) => client.run(service.updateTaskStatusFromAgent, change, signal),

  listAgents: (signal) => client.list(schemas.agentRow, service.listAgents, {}, signal),
  listProfiles: (signal) => client.list(schemas.agentProfile, service.listAgentsForRuntime, {}, signal),
  async getOrchestratorAgentId(signal) {
    const answer = await client.read(schemas.orchestrator, service.getOrchestratorAgentId, {}, signal);
    return answer.orchestratorAgentId;
  },
  listAssignedTasks: (agentId, limit, signal) =>
    client.list(schemas.taskRow, service.listAssignedTasksForAgent, { agentId, limit }, signal),
  listOrchestratorTasks: (statuses, limit, signal) =>
    client.list(schemas.taskRow, service.listTasksForOrchestratorHeartbeat, { statuses, limit }, signal),
  async loadThread(agentId, taskId, messageLimit, signal) {
    const action = service.loadTaskDetailsForAgentTool;
    const answer = await client.read(schemas.taskDetails, action, { agentId, taskId, messageLimit }, signal);
    return client.rows(schemas.threadMessage, answer.thread, action);
  },
  updateAgentHeartbeat: (beat, signal) => client.run(service.updateAgentHeartbeat, beat, signal),

  async updateRuntimeStatus(status, config, signal) {
    await client.run(service.updateRuntimeStatus, { status, config }, signal);
    // The contract's own function does not say whether anything is asked for.
    return { asked: true };
  },
  async checkAndClearRestartRequested(signal) {
    const answer = await client.read(
      schemas.restartRequest,
      service.checkAndClearRestartRequested,
      {},
      signal,
    );
    return answer.restartRequested;
  },
  getPendingUpgrade: (signal) => client.read(schemas.pendingUpgrade, service.getPendingUpgrade, {}, signal),
  recordUpgradeResult: (result, signal) => client.run(service.recordUpgradeResult, result, signal),
});

/** A text without half surrogate pairs (where it was cut): the backend would refuse the whole call as no valid JSON. */
export const sendable = (text: string): string => text.toWellFormed();

/**
 * Malformed rows stay in the list, the oldest first. A page full of them would hide all rows behind it, and a page that
 * they shorten would look like the last one. So the page grows until it holds `limit` good rows.
 */
async function listUndelivered(
  client: ServiceClient,
  limit: number,
  signal?: AbortSignal,
): Promise<NotificationRow[]> {
  const action = service.listUndeliveredNotifications;
  for (let asked = limit; ; asked = Math.min(MAX_PAGE, asked * 2)) {
    const page = await client.read(v.array(v.unknown()), action, { limit: asked }, signal);
    const rows = client.rows(schemas.notificationRow, page, action);
    if (rows.length >= limit || page.length < asked || asked >= MAX_PAGE) return rows.slice(0, limit);
  }
}

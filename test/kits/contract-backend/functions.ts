/** `service/actions` (docs/contract.md#functions), as far as the runtime calls it. */
import * as v from 'valibot';
import { failure } from '../../../convex/model/errors.ts';
import { clampLimit } from '../../../convex/model/limits.ts';
import { heartbeat, listAgents, listAssignedTasks, listTasksByStatus } from './agents.ts';
import { loadContext, loadThread } from './context.ts';
import { define, type ServiceFunction } from './define.ts';
import { EXTENSIONS } from './extensions.ts';
import { postMessage } from './messages.ts';
import { markDelivered, oldestRows, startTyping } from './queue.ts';
import type { Agent, Notification, Task } from './rows.ts';
import { reportArgs, reportStatus } from './runtime-status.ts';
import type { Store } from './store.ts';
import { changeTaskStatus } from './tasks.ts';

const text = v.string();
const optionalText = v.optional(text);
const optionalNumber = v.optional(v.number());
const success = { success: true };
const ofNotification = { notificationId: text };
const taskStatus = v.picklist(['inbox', 'assigned', 'in_progress', 'review', 'done', 'blocked', 'archived']);

const found = <T>(row: T | undefined, what: string): T => {
  if (row === undefined) throw failure('NOT_FOUND', `Not found: ${what} does not exist`);
  return row;
};
const notification = (store: Store, id: string): Notification =>
  found(store.notifications.get(id), 'Notification');
const agent = (store: Store, id: string): Agent => found(store.agentsById.get(id), 'Agent');
const task = (store: Store, id: string): Task => found(store.tasks.get(id), 'Task');

const delivery = {
  listUndeliveredNotifications: define({ limit: optionalNumber }, (store, { limit }) =>
    oldestRows(store, clampLimit(limit, 100, 500)),
  ),
  getNotificationForDelivery: define(ofNotification, (store, { notificationId }) => {
    const row = store.notifications.get(notificationId);
    return row === undefined ? null : loadContext(store, row);
  }),
  markNotificationRead: define(ofNotification, (store, { notificationId }) => {
    const row = notification(store, notificationId);
    startTyping(store, row);
    return success;
  }),
  markNotificationDeliveryEnded: define(ofNotification, (store, { notificationId }) => {
    const row = notification(store, notificationId);
    if (row.deliveredAt === undefined) row.deliveryEndedAt ??= store.now();
    return success;
  }),
  markNotificationDelivered: define(ofNotification, (store, { notificationId }) => {
    markDelivered(store, notification(store, notificationId));
    return success;
  }),
  createMessageFromAgent: define(
    {
      taskId: text,
      agentId: text,
      content: text,
      suppressAgentNotifications: v.optional(v.boolean()),
      attachments: v.optional(v.array(v.unknown())),
      sourceNotificationId: optionalText,
    },
    (store, { taskId, agentId, attachments: _, ...draft }) => {
      const writer = agent(store, agentId);
      const place = task(store, taskId);
      const earlier = store.answers.get(draft.sourceNotificationId ?? '');
      const author = { type: 'agent', id: writer._id, name: writer.name } as const;
      const message = earlier ?? postMessage(store, place, { author, ...draft });
      return { messageId: message._id };
    },
  ),
  updateTaskStatusFromAgent: define(
    { taskId: text, agentId: text, status: v.literal('in_progress'), expectedStatus: v.optional(taskStatus) },
    (store, { taskId, agentId, ...change }) => {
      const after = changeTaskStatus(store, agent(store, agentId), task(store, taskId), change);
      return { ...success, taskId, requestedStatus: change.status, ...after };
    },
  ),
};

const agents = {
  listAgents: define({}, (store) => listAgents(store)),
  getOrchestratorAgentId: define({}, ({ account }) => ({ orchestratorAgentId: account.orchestratorAgentId })),
  listAssignedTasksForAgent: define(
    { agentId: text, includeDone: v.optional(v.boolean()), limit: optionalNumber },
    (store, { agentId, ...options }) => listAssignedTasks(store, agent(store, agentId), options),
  ),
  listTasksForOrchestratorHeartbeat: define(
    { statuses: v.array(taskStatus), limit: optionalNumber },
    (store, { statuses, limit }) => listTasksByStatus(store, statuses, limit),
  ),
  updateAgentHeartbeat: define(
    {
      agentId: text,
      status: v.picklist(['online', 'busy', 'idle', 'offline', 'error']),
      currentTaskId: optionalText,
    },
    (store, { agentId, ...beat }) => ({
      ...success,
      timestamp: heartbeat(store, agent(store, agentId), beat),
    }),
  ),
  loadTaskDetailsForAgentTool: define(
    { agentId: text, taskId: text, messageLimit: optionalNumber },
    (store, { agentId, taskId, messageLimit }) => {
      agent(store, agentId);
      const row = task(store, taskId);
      return { task: row, thread: loadThread(store, row, clampLimit(messageLimit, 10, 200)) };
    },
  ),
};

const runtime = {
  updateRuntimeStatus: define(reportArgs, (store, { status, config }) => {
    reportStatus(store, status, config);
    return success;
  }),
  checkAndClearRestartRequested: define({}, () => ({ restartRequested: false })),
  getPendingUpgrade: define({}, () => null),
};

const FUNCTIONS: ReadonlyMap<string, ServiceFunction> = new Map(
  Object.entries({ ...delivery, ...agents, ...runtime }),
);

/** `service/actions:listAgents` is module and name. */
export const splitPath = (path: string): [module: string, name: string] => {
  const at = path.indexOf(':');
  return [path.slice(0, at), path.slice(at + 1)];
};

/** @throws Error when the backend has no such function */
export function findFunction(store: Store, path: string): ServiceFunction {
  const [module, name] = splitPath(path);
  const offered = store.extended && module === 'service/extensions' ? EXTENSIONS.get(name) : undefined;
  const found = module === 'service/actions' ? FUNCTIONS.get(name) : offered;
  if (found === undefined) throw new Error(`Could not find public function for '${path}'`);
  return found;
}

import { getFunctionName, makeFunctionReference } from 'convex/server';
import type { DefaultFunctionArgs, FunctionReference } from 'convex/server';
import type { AgentStatus, RuntimeStatus, TaskStatus } from '../../machines/shared/mission-control.ts';
import type { DocumentType, TaskFields } from '../tools/service.ts';

/**
 * An action of the service contract. `Args` is what the call site gives: the account and the token are added by the
 * client (client.ts). The result is `unknown` until a schema has read it.
 */
export type ServiceAction<Args extends DefaultFunctionArgs> = FunctionReference<
  'action',
  'public',
  Args,
  unknown
>;

const action = <Args extends DefaultFunctionArgs>(name: string): ServiceAction<Args> =>
  makeFunctionReference<'action', Args, unknown>(`service/actions:${name}`);

const extension = <Args extends DefaultFunctionArgs>(name: string): ServiceAction<Args> =>
  makeFunctionReference<'action', Args, unknown>(`service/extensions:${name}`);

/** `{}` and nothing else. */
type NoArgs = Record<string, never>;
type NotificationArgs = { notificationId: string };
type AgentArgs = { agentId: string };
type TaskArgs = { agentId: string; taskId: string };
/** An interface has no index signature, which the arguments of a function need. */
type NewTask = { [Field in keyof TaskFields]: TaskFields[Field] };
type RuntimeConfig = {
  dropletId: string;
  ipAddress: string;
  region?: string;
  lastHealthCheck: number;
  openclawVersion: string;
  runtimeServiceVersion: string;
};

/** What the runtime calls, under the contract's own names (docs/contract.md#functions). */
export const service = {
  listUndeliveredNotifications: action<{ limit: number }>('listUndeliveredNotifications'),
  getNotificationForDelivery: action<NotificationArgs>('getNotificationForDelivery'),
  markNotificationRead: action<NotificationArgs>('markNotificationRead'),
  markNotificationDeliveryEnded: action<NotificationArgs>('markNotificationDeliveryEnded'),
  markNotificationDelivered: action<NotificationArgs>('markNotificationDelivered'),
  createMessageFromAgent: action<{
    taskId: string;
    agentId: string;
    content: string;
    sourceNotificationId?: string;
    suppressAgentNotifications?: boolean;
  }>('createMessageFromAgent'),
  updateTaskStatusFromAgent: action<{
    taskId: string;
    agentId: string;
    status: TaskStatus;
    blockedReason?: string;
    expectedStatus?: TaskStatus;
  }>('updateTaskStatusFromAgent'),

  listAgents: action<NoArgs>('listAgents'),
  listAgentsForRuntime: action<NoArgs>('listAgentsForRuntime'),
  getOrchestratorAgentId: action<NoArgs>('getOrchestratorAgentId'),
  listAssignedTasksForAgent: action<{ agentId: string; limit: number }>('listAssignedTasksForAgent'),
  listTasksForOrchestratorHeartbeat: action<{ statuses: TaskStatus[]; limit: number }>(
    'listTasksForOrchestratorHeartbeat',
  ),
  loadTaskDetailsForAgentTool: action<{ agentId: string; taskId: string; messageLimit: number }>(
    'loadTaskDetailsForAgentTool',
  ),
  updateTaskFromAgent: action<TaskArgs & NewTask & { assignedUserIds?: string[] }>('updateTaskFromAgent'),
  createTaskFromAgent: action<AgentArgs & NewTask & { title: string }>('createTaskFromAgent'),
  assignTaskFromAgent: action<TaskArgs & { assignedAgentIds: string[] }>('assignTaskFromAgent'),
  deleteTaskFromAgent: action<TaskArgs & { reason: string }>('deleteTaskFromAgent'),
  linkTaskToPrForAgentTool: action<TaskArgs & { prNumber: number }>('linkTaskToPrForAgentTool'),
  createTaskMessageForAgentTool: action<TaskArgs & { content: string }>('createTaskMessageForAgentTool'),
  createResponseRequestNotifications: action<{
    requesterAgentId: string;
    taskId: string;
    recipientSlugs: string[];
    message: string;
  }>('createResponseRequestNotifications'),
  createDocumentFromAgent: action<
    AgentArgs & { documentId?: string; taskId?: string; title: string; content: string; type: DocumentType }
  >('createDocumentFromAgent'),
  listTasksForAgentTool: action<AgentArgs & { status?: TaskStatus; assigneeAgentId?: string; limit: number }>(
    'listTasksForAgentTool',
  ),
  getTaskForAgentTool: action<TaskArgs>('getTaskForAgentTool'),
  listTaskThreadForAgentTool: action<TaskArgs & { limit: number }>('listTaskThreadForAgentTool'),
  searchTasksForAgentTool: action<AgentArgs & { query: string; limit: number }>('searchTasksForAgentTool'),
  getTaskHistoryForAgentTool: action<TaskArgs & { messageLimit: number; activityLimit: number }>(
    'getTaskHistoryForAgentTool',
  ),
  getAgentSkillsForTool: action<AgentArgs & { queryAgentId?: string }>('getAgentSkillsForTool'),
  listDocumentsForAgent: action<{ taskId?: string; type?: DocumentType; limit: number }>(
    'listDocumentsForAgent',
  ),
  updateAgentHeartbeat: action<{ agentId: string; status: AgentStatus; currentTaskId?: string }>(
    'updateAgentHeartbeat',
  ),

  updateRuntimeStatus: action<{
    status: RuntimeStatus;
    config: RuntimeConfig;
  }>('updateRuntimeStatus'),
  checkAndClearRestartRequested: action<NoArgs>('checkAndClearRestartRequested'),
  getPendingUpgrade: action<NoArgs>('getPendingUpgrade'),
  recordUpgradeResult: action<{
    status: 'success' | 'failed' | 'rolled_back';
    fromOpenclawVersion: string;
    toOpenclawVersion: string;
    fromRuntimeVersion: string;
    toRuntimeVersion: string;
    duration?: number;
    error?: string;
  }>('recordUpgradeResult'),
};

/** What a backend may offer beyond it (docs/contract-extensions.md): asked for, never assumed. */
export const extensions = {
  capabilities: extension<NoArgs>('capabilities'),
  listWithContexts: extension<{ limit: number; contexts: number; busy: string[] }>('listWithContexts'),
  leaseNotifications: extension<{ limit: number; contexts: number; busy: string[]; holder: string }>(
    'leaseNotifications',
  ),
  releaseNotifications: extension<{ holder: string; keep: string[] }>('releaseNotifications'),
  beginDelivery: extension<NotificationArgs>('beginDelivery'),
  completeDelivery: extension<{
    notificationId: string;
    version: { messageId: string | null; createdAt: number };
    reply: { content: string; first: boolean; startsTask: boolean } | null;
  }>('completeDelivery'),
  reportStatus: extension<{ status: RuntimeStatus; config: RuntimeConfig; holder?: string }>('reportStatus'),
  wakeUp: makeFunctionReference<'query', { accountId: string; serviceToken: string }, unknown>(
    'service/extensions:wakeUp',
  ),
};

/** The function's own name, for messages. */
export const nameOf = (reference: ServiceAction<DefaultFunctionArgs>): string =>
  getFunctionName(reference).replace(/^service\/(?:actions|extensions):/, '');

import { getFunctionName, makeFunctionReference } from 'convex/server';
import type { DefaultFunctionArgs, FunctionReference } from 'convex/server';
import type { AgentStatus, RuntimeStatus, TaskStatus } from '../../machines/shared/mission-control.ts';
import type { PostMessage, RuntimeReport, UpgradeResult } from '../ports.ts';
import type { ToolService } from '../tools/service.ts';

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
/** An interface as a plain object type. An interface has no index signature, which the arguments of a function need. */
type Fields<T> = { [Field in keyof T]: T[Field] };
/** The arguments of a tool's method, which its action takes as they are. */
type ArgsOf<Method extends keyof ToolService> = Fields<Parameters<ToolService[Method]>[0]>;

/** What the runtime calls, under the contract's own names (docs/contract.md#functions). */
export const service = {
  listUndeliveredNotifications: action<{ limit: number }>('listUndeliveredNotifications'),
  getNotificationForDelivery: action<NotificationArgs>('getNotificationForDelivery'),
  markNotificationRead: action<NotificationArgs>('markNotificationRead'),
  markNotificationDeliveryEnded: action<NotificationArgs>('markNotificationDeliveryEnded'),
  markNotificationDelivered: action<NotificationArgs>('markNotificationDelivered'),
  createMessageFromAgent: action<Fields<PostMessage>>('createMessageFromAgent'),
  updateTaskStatusFromAgent: action<ArgsOf<'updateTaskStatus'>>('updateTaskStatusFromAgent'),

  listAgents: action<NoArgs>('listAgents'),
  listAgentsForRuntime: action<NoArgs>('listAgentsForRuntime'),
  getOrchestratorAgentId: action<NoArgs>('getOrchestratorAgentId'),
  listAssignedTasksForAgent: action<{ agentId: string; limit: number }>('listAssignedTasksForAgent'),
  listTasksForOrchestratorHeartbeat: action<{ statuses: TaskStatus[]; limit: number }>(
    'listTasksForOrchestratorHeartbeat',
  ),
  loadTaskDetailsForAgentTool: action<ArgsOf<'loadTask'>>('loadTaskDetailsForAgentTool'),
  updateTaskFromAgent: action<ArgsOf<'updateTask'>>('updateTaskFromAgent'),
  createTaskFromAgent: action<ArgsOf<'createTask'>>('createTaskFromAgent'),
  assignTaskFromAgent: action<ArgsOf<'assignTask'>>('assignTaskFromAgent'),
  deleteTaskFromAgent: action<ArgsOf<'deleteTask'>>('deleteTaskFromAgent'),
  linkTaskToPrForAgentTool: action<ArgsOf<'linkTaskToPr'>>('linkTaskToPrForAgentTool'),
  createTaskMessageForAgentTool: action<ArgsOf<'createTaskMessage'>>('createTaskMessageForAgentTool'),
  createResponseRequestNotifications: action<{
    requesterAgentId: string;
    taskId: string;
    recipientSlugs: string[];
    message: string;
  }>('createResponseRequestNotifications'),
  createDocumentFromAgent: action<ArgsOf<'saveDocument'>>('createDocumentFromAgent'),
  listTasksForAgentTool: action<ArgsOf<'listTasks'>>('listTasksForAgentTool'),
  getTaskForAgentTool: action<ArgsOf<'getTask'>>('getTaskForAgentTool'),
  listTaskThreadForAgentTool: action<ArgsOf<'listThread'>>('listTaskThreadForAgentTool'),
  searchTasksForAgentTool: action<ArgsOf<'searchTasks'>>('searchTasksForAgentTool'),
  getTaskHistoryForAgentTool: action<ArgsOf<'loadHistory'>>('getTaskHistoryForAgentTool'),
  getAgentSkillsForTool: action<ArgsOf<'listSkills'>>('getAgentSkillsForTool'),
  listDocumentsForAgent: action<ArgsOf<'listDocuments'>>('listDocumentsForAgent'),
  updateAgentHeartbeat: action<{ agentId: string; status: AgentStatus; currentTaskId?: string }>(
    'updateAgentHeartbeat',
  ),

  updateRuntimeStatus: action<{ status: RuntimeStatus; config: RuntimeReport }>('updateRuntimeStatus'),
  checkAndClearRestartRequested: action<NoArgs>('checkAndClearRestartRequested'),
  getPendingUpgrade: action<NoArgs>('getPendingUpgrade'),
  recordUpgradeResult: action<Fields<UpgradeResult>>('recordUpgradeResult'),
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
  reportStatus: extension<{ status: RuntimeStatus; config: RuntimeReport; holder?: string }>('reportStatus'),
  wakeUp: makeFunctionReference<'query', { accountId: string; serviceToken: string }, unknown>(
    'service/extensions:wakeUp',
  ),
};

/** The function's own name, for messages. */
export const nameOf = (reference: ServiceAction<DefaultFunctionArgs>): string =>
  getFunctionName(reference).replace(/^service\/(?:actions|extensions):/, '');

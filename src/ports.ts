/**
 * The runtime's view of its surroundings: Mission Control, the OpenClaw gateway, the journal and the clock.
 * The actors in src/actors/ know these interfaces alone, so a test can stand in for any side.
 * Every method that fails rejects with a `Fault`; every call is bounded in time by its implementation.
 */
import type { Reply as KeptReply } from '../machines/notification/reply.ts';
import type { Version } from '../machines/notification/version.ts';
import type {
  AgentProfile,
  AgentRow,
  AgentStatus,
  DeliveryContext,
  NotificationRow,
  PendingUpgrade,
  RuntimeStatus,
  TaskRow,
  TaskStatus,
  ThreadMessage,
} from '../machines/shared/mission-control.ts';
import type { ToolCall, ToolSchema, Usage } from '../machines/shared/tools.ts';

export interface PostMessage {
  taskId: string;
  agentId: string;
  content: string;
  /** With it the backend posts at most once per notification. */
  sourceNotificationId?: string;
  suppressAgentNotifications?: boolean;
}

/** What is reported beside the status (docs/contract.md#functions). */
export interface RuntimeReport {
  dropletId: string;
  ipAddress: string;
  region?: string;
  lastHealthCheck: number;
  openclawVersion: string;
  runtimeServiceVersion: string;
}

export interface UpgradeResult {
  status: 'success' | 'failed' | 'rolled_back';
  fromOpenclawVersion: string;
  toOpenclawVersion: string;
  fromRuntimeVersion: string;
  toRuntimeVersion: string;
  duration?: number;
  error?: string;
}

/** A notification brought to its end in one call (docs/contract-extensions.md). */
interface Completion {
  notificationId: string;
  /** The version that was answered. */
  version: Version;
  /** null: there is nothing to post. `first`: we have posted no message for this notification yet. */
  reply: { content: string; first: boolean; startsTask: boolean } | null;
}

/** The functions of `service/actions` that the runtime calls (docs/contract.md#functions). */
export interface MissionControl {
  /** @param limit 1..500 */
  listUndelivered(limit: number, signal?: AbortSignal): Promise<NotificationRow[]>;
  /**
   * The same list. Where the backend offers it, the answer also has the contexts of up to `contexts` rows that can run
   * now, with their typing indicators on. Each is the oldest row of a session that has no row in `busy`. `others`: to
   * how many other runtimes rows are lent, whose rows are not in the list; null where the backend lends none.
   */
  listWithContexts(
    page: { limit: number; contexts: number; busy: readonly string[] },
    signal?: AbortSignal,
  ): Promise<{ rows: NotificationRow[]; contexts: DeliveryContext[]; others: number | null }>;
  /** Gives back all lent rows except these. Does nothing where the backend lends none. */
  releaseRows(keep: readonly string[], signal?: AbortSignal): Promise<void>;
  /** null when the row is gone or belongs to another account. */
  loadContext(notificationId: string, signal?: AbortSignal): Promise<DeliveryContext | null>;
  /** The context; `typing`: the backend has switched the typing indicator on with it. */
  beginDelivery(
    notificationId: string,
    signal?: AbortSignal,
  ): Promise<{ delivery: DeliveryContext | null; typing: boolean }>;
  markRead(notificationId: string, signal?: AbortSignal): Promise<void>;
  markDeliveryEnded(notificationId: string, signal?: AbortSignal): Promise<void>;
  markDelivered(notificationId: string, signal?: AbortSignal): Promise<void>;
  /** @returns the message's id; rejects with kind `textTooLong` when the content is over the limit */
  postMessage(message: PostMessage, signal?: AbortSignal): Promise<string>;
  updateTaskStatus(
    change: { taskId: string; agentId: string; status: TaskStatus; expectedStatus: TaskStatus },
    signal?: AbortSignal,
  ): Promise<void>;
  listAgents(signal?: AbortSignal): Promise<AgentRow[]>;
  listProfiles(signal?: AbortSignal): Promise<AgentProfile[]>;
  getOrchestratorAgentId(signal?: AbortSignal): Promise<string | null>;
  listAssignedTasks(agentId: string, limit: number, signal?: AbortSignal): Promise<TaskRow[]>;
  listOrchestratorTasks(statuses: TaskStatus[], limit: number, signal?: AbortSignal): Promise<TaskRow[]>;
  /** The newest `messageLimit` messages of a task, oldest first. */
  loadThread(
    agentId: string,
    taskId: string,
    messageLimit: number,
    signal?: AbortSignal,
  ): Promise<ThreadMessage[]>;
  updateAgentHeartbeat(
    beat: { agentId: string; status: AgentStatus; currentTaskId?: string },
    signal?: AbortSignal,
  ): Promise<void>;
  /** @returns `asked`: false where the backend says that it asks for no upgrade and no restart */
  updateRuntimeStatus(
    status: RuntimeStatus,
    report: RuntimeReport,
    signal?: AbortSignal,
  ): Promise<{ asked: boolean }>;
  /** Returning true clears the request, so the caller must act on it. */
  checkAndClearRestartRequested(signal?: AbortSignal): Promise<boolean>;
  getPendingUpgrade(signal?: AbortSignal): Promise<PendingUpgrade | null>;
  recordUpgradeResult(result: UpgradeResult, signal?: AbortSignal): Promise<void>;
  /** What the backend offers beyond the contract (docs/contract-extensions.md); empty where it knows nothing of that. */
  askExtensions(signal?: AbortSignal): Promise<readonly string[]>;
  /** Whether `completeDelivery` can be called. */
  completes(): boolean;
  /**
   * Posts the reply once, moves the task, and marks the row if it is still at that version. It may be called again for
   * the same reply. @returns null, or the row's context if the row has a newer version
   */
  completeDelivery(completion: Completion, signal?: AbortSignal): Promise<DeliveryContext | null>;
}

export interface RunRequest {
  agentSlug: string;
  /** The Convex session key; the gateway is sent `agent:<slug>:<key>`. */
  sessionKey: string;
  instructions: string;
  input: string;
  /** What the agent may call in this round. The gateway keeps no tools: they are sent with every round. */
  tools?: readonly ToolSchema[];
  /** Aborts the request and its body. */
  signal: AbortSignal;
  /** Called with the reply as soon as it is whole. The run waits for it, and its error is the run's. */
  onReply?: (reply: Reply) => Promise<void>;
  /** Called whenever the gateway sends something: the head of its answer, and every piece of the body. */
  onSign?: () => void;
}

/** How a round ended. */
export interface Reply extends KeptReply {
  /** The tools that the agent calls, in its order; the run goes on with their results. */
  calls: readonly ToolCall[];
  /**
   * Why the answer stops short (`max_output_tokens`, `content_filter`); null when it is whole. Where the agent said
   * nothing, the text is then a note that says so.
   */
  cut: string | null;
  /** null when the gateway does not tell. */
  usage: Usage | null;
}

/** Only a deep probe asks for the version and the agents. */
export interface ProbeResult {
  /** null when the gateway does not tell. */
  version: string | null;
  /** The agents that it knows. */
  agents: string[] | null;
}

export interface Gateway {
  /**
   * Runs one round. Settles as soon as the reply is known; its socket may stay open for a few seconds more, and the
   * next request for the session waits for that by itself.
   */
  respond(request: RunRequest): Promise<Reply>;
  /**
   * Whether runs can be sent.
   * @param deep also check the token and read the roster (`GET /v1/models`)
   */
  probe(deep: boolean, signal?: AbortSignal): Promise<ProbeResult>;
  close(): Promise<void>;
}

/**
 * The rows of Mission Control that the machines decide on, as the service contract gives them.
 * Times are milliseconds since the epoch unless a name says otherwise. Ids are opaque strings.
 */

/** Mission Control lists no more notifications at once (docs/contract.md#functions). */
export const MAX_PAGE = 500;

/** Mission Control gives no more messages of a thread at once (docs/contract.md#functions). */
export const MAX_THREAD = 200;

/** Mission Control takes no longer message, in UTF-16 code units (docs/contract.md#enumerations). */
export const MAX_MESSAGE_LENGTH = 100_000;

export const TASK_STATUSES = [
  'inbox',
  'assigned',
  'in_progress',
  'review',
  'done',
  'blocked',
  'archived',
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

export const NOTIFICATION_TYPES = [
  'mention',
  'assignment',
  'thread_update',
  'status_change',
  'response_request',
  'member_added',
  'member_removed',
  'role_changed',
] as const;
export type NotificationType = (typeof NOTIFICATION_TYPES)[number];

export type AuthorType = 'user' | 'agent';

export type AgentStatus = 'online' | 'busy' | 'idle' | 'offline' | 'error';

export type RuntimeStatus = 'provisioning' | 'online' | 'degraded' | 'offline' | 'error';

/** A row of the delivery queue. `messageId` and `createdAt` move when the backend coalesces a newer message into it. */
export interface NotificationRow {
  _id: string;
  type: NotificationType;
  recipientType: 'user' | 'agent';
  recipientId: string;
  taskId?: string;
  messageId?: string;
  title: string;
  body: string;
  createdAt: number;
  /** When a runtime took it; the agent is shown as typing while the delivery has not ended. */
  readAt?: number;
  deliveryEndedAt?: number;
  /** Set once the row is done with: nothing is left to do. */
  deliveredAt?: number;
}

export interface BehaviorFlags {
  canCreateTasks: boolean;
  canModifyTaskStatus: boolean;
  canCreateDocuments: boolean;
  canMentionAgents: boolean;
  canReviewTasks: boolean;
  canMarkDone: boolean;
}

/** An agent of the account, as `listAgents` gives it. */
export interface AgentRow {
  _id: string;
  name: string;
  slug: string;
  role: string;
  /** Minutes between two heartbeats; 15 when absent. */
  heartbeatInterval?: number;
  systemSessionKey: string;
  effectiveBehaviorFlags: BehaviorFlags;
}

/** Who an agent is, as `listAgentsForRuntime` gives it: texts that people wrote, unchecked. */
export interface AgentProfile {
  _id: string;
  name: string;
  slug: string;
  role: string;
  openclawConfig?: { model?: string };
  effectiveSoulContent: string;
  effectiveUserMd: string;
  effectiveIdentityContent: string;
  /** The enabled skills, in the order in which they were given to the agent. */
  resolvedSkills: {
    _id: string;
    name: string;
    slug: string;
    description?: string;
    /** Markdown; absent where nobody wrote any. */
    contentMarkdown?: string;
  }[];
}

export interface TaskRow {
  _id: string;
  title: string;
  description?: string;
  status: TaskStatus;
  priority: number;
  labels: string[];
  assignedAgentIds: string[];
  assignedUserIds: string[];
  blockedReason?: string;
  updatedAt: number;
  lastMessageAt?: number;
}

export interface ThreadMessage {
  messageId: string;
  authorType: AuthorType;
  authorId: string;
  authorName: string | null;
  content: string;
  createdAt: number;
}

export interface MentionableAgent {
  id: string;
  slug: string;
  name: string;
  role: string;
}

interface DeliveryMessage {
  _id: string;
  authorType: AuthorType;
  authorId: string;
  content: string;
  createdAt: number;
}

interface TaskOverview {
  totals: { status: string; count: number }[];
  topTasks: {
    status: string;
    tasks: { taskId: string; title: string; status: string; priority: number }[];
  }[];
}

/** All that is needed to decide on one notification and to speak to its agent (docs/contract.md#delivery-context). */
export interface DeliveryContext {
  notification: NotificationRow;
  agent: { _id: string; name: string; slug: string; role: string } | null;
  task: TaskRow | null;
  message: DeliveryMessage | null;
  thread: ThreadMessage[];
  sourceNotificationType: string | null;
  orchestratorAgentId: string | null;
  primaryUserMention: { id: string; name: string } | null;
  mentionableAgents: MentionableAgent[];
  assignedAgents: MentionableAgent[];
  effectiveBehaviorFlags: BehaviorFlags;
  deliverySessionKey?: string;
  repositoryDoc: { title: string; content: string } | null;
  globalBriefingDoc: { title: string; content: string } | null;
  taskOverview: TaskOverview | null;
}

/** `getPendingUpgrade`: what the fleet asks of this runtime. */
export interface PendingUpgrade {
  targetOpenclawVersion: string;
  targetRuntimeVersion: string;
  /** When it was asked for: with the targets, the identity of the request. */
  initiatedAt: number;
  initiatedBy: string;
  strategy: 'immediate' | 'rolling' | 'canary';
}

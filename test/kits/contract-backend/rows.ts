/** The rows (docs/contract.md#documents) as far as the runtime can see them. Times are milliseconds since the epoch. */
import type {
  AgentStatus,
  AuthorType,
  BehaviorFlags,
  NotificationType,
  RuntimeStatus,
  TaskStatus,
} from '../../../machines/shared/mission-control.ts';

interface Row {
  _id: string;
  /** Unique and growing; the order among rows with the same index key. */
  _creationTime: number;
}

export interface Party {
  type: AuthorType;
  id: string;
}

export interface Notification extends Row {
  accountId: string;
  type: NotificationType;
  recipientType: AuthorType;
  recipientId: string;
  taskId?: string;
  messageId?: string;
  title: string;
  body: string;
  createdAt: number;
  deliveredAt?: number;
  readAt?: number;
  deliveryEndedAt?: number;
}

export interface Agent extends Row {
  accountId: string;
  name: string;
  slug: string;
  role: string;
  status: AgentStatus;
  currentTaskId?: string;
  lastHeartbeat?: number;
  /** Minutes. */
  heartbeatInterval: number;
  behaviorFlags: BehaviorFlags;
  createdAt: number;
}

export interface Task extends Row {
  accountId: string;
  title: string;
  status: TaskStatus;
  priority: number;
  labels: string[];
  assignedAgentIds: string[];
  assignedUserIds: string[];
  blockedReason?: string;
  createdBy: string;
  createdAt: number;
  updatedAt: number;
  lastMessageAt?: number;
}

export interface Message extends Row {
  accountId: string;
  taskId: string;
  authorType: AuthorType;
  authorId: string;
  content: string;
  mentions: (Party & { name: string; slug?: string })[];
  createdAt: number;
  sourceNotificationId?: string;
}

export interface Member {
  userId: string;
  name: string;
}

export interface RuntimeConfig {
  dropletId: string;
  ipAddress: string;
  region?: string | undefined;
  lastHealthCheck?: number | undefined;
  openclawVersion?: string | undefined;
  runtimeServiceVersion?: string | undefined;
}

export interface Account {
  _id: string;
  secretHash: string;
  orchestratorAgentId: string | null;
  runtimeStatus: RuntimeStatus;
  runtimeConfig: RuntimeConfig | null;
}

/**
 * What Mission Control offers to agents' tools: the actions behind the catalog (docs/contract.md#functions). Who acts
 * (`agentId`) comes from the run. Every call rejects with a Fault; a refusal by the function is a `FunctionFault`.
 */
import type { TaskRow, TaskStatus, ThreadMessage } from '../../machines/shared/mission-control.ts';

export const DOCUMENT_TYPES = ['deliverable', 'note', 'template', 'reference'] as const;
export type DocumentType = (typeof DOCUMENT_TYPES)[number];

/** A task as agents see it. Times are milliseconds since the epoch. */
export interface ToolTask extends TaskRow {
  dueDate?: number;
  createdBy: string;
  createdAt: number;
  metadata?: { prNumber?: number };
}

export interface FoundTask {
  _id: string;
  title: string;
  status: TaskStatus;
  priority: number;
  blockedReason?: string;
  assignedAgentIds: string[];
  assignedUserIds: string[];
  createdAt: number;
  updatedAt: number;
  relevanceScore: number;
}

export interface Activity {
  type: string;
  actorType: string;
  actorName: string;
  targetType: string;
  targetId: string;
  targetName?: string;
  meta?: unknown;
  createdAt: number;
}

interface TaskHistory {
  task: ToolTask;
  /** Oldest first. */
  messages: ThreadMessage[];
  /** Newest first. */
  activities: Activity[];
}

export interface AgentSkills {
  /** The agent's slug. */
  agentId: string;
  skillIds: string[];
  skillCount: number;
}

export interface ListedDocument {
  _id: string;
  title: string;
  type?: DocumentType;
  taskId?: string;
  updatedAt: number;
}

interface TaskFields {
  title?: string;
  description?: string;
  priority?: number;
  labels?: string[];
  dueDate?: number;
  blockedReason?: string;
  status?: TaskStatus;
  assignedAgentIds?: string[];
}

type Acting<T> = T & { agentId: string };
type OnTask<T = object> = Acting<T & { taskId: string }>;

export interface ToolService {
  updateTaskStatus(
    change: OnTask<{ status: TaskStatus; blockedReason?: string; expectedStatus?: TaskStatus }>,
    signal?: AbortSignal,
  ): Promise<{ status: TaskStatus; changed: boolean }>;
  /** @returns the fields that were given, and `status` where it moved */
  updateTask(
    change: OnTask<TaskFields & { assignedUserIds?: string[] }>,
    signal?: AbortSignal,
  ): Promise<{ changedFields: string[] }>;
  createTask(task: Acting<TaskFields & { title: string }>, signal?: AbortSignal): Promise<{ taskId: string }>;
  assignTask(change: OnTask<{ assignedAgentIds: string[] }>, signal?: AbortSignal): Promise<void>;
  deleteTask(change: OnTask<{ reason: string }>, signal?: AbortSignal): Promise<void>;
  linkTaskToPr(change: OnTask<{ prNumber: number }>, signal?: AbortSignal): Promise<void>;
  createTaskMessage(
    message: OnTask<{ content: string }>,
    signal?: AbortSignal,
  ): Promise<{ messageId: string }>;
  /** @returns the rows that were made now; there is none for a recipient that was asked before and has not answered */
  requestResponses(
    request: OnTask<{ recipientSlugs: string[]; message: string }>,
    signal?: AbortSignal,
  ): Promise<{ notificationIds: string[] }>;
  /** Without `documentId` it makes a new document. An update without `taskId` takes the document from its task. */
  saveDocument(
    document: Acting<{
      documentId?: string;
      taskId?: string;
      title: string;
      content: string;
      type: DocumentType;
    }>,
    signal?: AbortSignal,
  ): Promise<{ documentId: string }>;

  /** Newest first, by creation. */
  listTasks(
    query: Acting<{ status?: TaskStatus; assigneeAgentId?: string; limit: number }>,
    signal?: AbortSignal,
  ): Promise<ToolTask[]>;
  getTask(query: OnTask, signal?: AbortSignal): Promise<ToolTask | null>;
  /** Oldest first. */
  listThread(query: OnTask<{ limit: number }>, signal?: AbortSignal): Promise<ThreadMessage[]>;
  searchTasks(query: Acting<{ query: string; limit: number }>, signal?: AbortSignal): Promise<FoundTask[]>;
  loadTask(
    query: OnTask<{ messageLimit: number }>,
    signal?: AbortSignal,
  ): Promise<{ task: ToolTask; thread: ThreadMessage[] }>;
  loadHistory(
    query: OnTask<{ messageLimit: number; activityLimit: number }>,
    signal?: AbortSignal,
  ): Promise<TaskHistory>;
  listSkills(query: Acting<{ queryAgentId?: string }>, signal?: AbortSignal): Promise<AgentSkills[]>;
  /** The last touched first. */
  listDocuments(
    query: { taskId?: string; type?: DocumentType; limit: number },
    signal?: AbortSignal,
  ): Promise<ListedDocument[]>;
  /** Tasks of these statuses, the last touched first; any agent's run may ask. */
  listTasksByStatus(statuses: TaskStatus[], limit: number, signal?: AbortSignal): Promise<ToolTask[]>;
}

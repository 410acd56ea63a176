/**
 * What the service's answers must look like (docs/contract.md#documents and #delivery-context). Fields that the
 * runtime does not use are dropped. An absent field of the delivery context that the contract calls nullable counts as null.
 */
import * as v from 'valibot';
import {
  NOTIFICATION_TYPES,
  TASK_STATUSES,
  type AgentProfile,
  type AgentRow,
  type AuthorType,
  type BehaviorFlags,
  type DeliveryContext,
  type MentionableAgent,
  type NotificationRow,
  type NotificationType,
  type PendingUpgrade,
  type TaskRow,
  type ThreadMessage,
} from '../../machines/shared/mission-control.ts';
import { DOCUMENT_TYPES } from '../tools/service.ts';
import type {
  Activity,
  AgentSkills,
  DocumentType,
  FoundTask,
  ListedDocument,
  ToolTask,
} from '../tools/service.ts';

type Schema<T> = v.GenericSchema<unknown, T>;

/** Requires a schema for each field, also for optional ones, because a missing schema would drop its field silently. */
type EveryField<T> = { [Field in keyof Required<T>]: v.GenericSchema };

const finite = v.pipe(v.number(), v.finite());
const optionalString = v.optional(v.string());
const orNull = <T>(schema: Schema<T>): Schema<T | null> => v.optional(v.nullable(schema), null);

/**
 * The agent is run for a type that a newer backend adds, and need not answer it (docs/contract.md#enumerations).
 * `member_added` is the known type with these rules.
 */
const notificationType: Schema<NotificationType> = v.pipe(
  v.string(),
  v.transform((text) => NOTIFICATION_TYPES.find((type) => type === text) ?? 'member_added'),
);

/** Any author who is not a user counts as an agent, because that reading cannot start a loop. */
const authorType: Schema<AuthorType> = v.pipe(
  v.string(),
  v.transform((text) => (text === 'user' ? 'user' : 'agent')),
);

/** Absent flags have the contract's defaults (docs/contract.md#enumerations). */
const behaviorFlags: Schema<BehaviorFlags> = v.object({
  canCreateTasks: v.optional(v.boolean(), false),
  canModifyTaskStatus: v.optional(v.boolean(), true),
  canCreateDocuments: v.optional(v.boolean(), true),
  canMentionAgents: v.optional(v.boolean(), true),
  canReviewTasks: v.optional(v.boolean(), false),
  canMarkDone: v.optional(v.boolean(), false),
});

export const notificationRow: Schema<NotificationRow> = v.object({
  _id: v.string(),
  type: notificationType,
  recipientType: v.picklist(['user', 'agent']),
  recipientId: v.string(),
  taskId: optionalString,
  messageId: optionalString,
  title: v.string(),
  body: v.string(),
  createdAt: finite,
  readAt: v.optional(finite),
  deliveryEndedAt: v.optional(finite),
  deliveredAt: v.optional(finite),
} satisfies EveryField<NotificationRow>);

const taskFields = {
  _id: v.string(),
  title: v.string(),
  description: optionalString,
  status: v.picklist(TASK_STATUSES),
  priority: finite,
  labels: v.array(v.string()),
  assignedAgentIds: v.array(v.string()),
  assignedUserIds: v.array(v.string()),
  blockedReason: optionalString,
  updatedAt: finite,
  lastMessageAt: v.optional(finite),
} satisfies EveryField<TaskRow>;

export const taskRow: Schema<TaskRow> = v.object(taskFields);

export const threadMessage: Schema<ThreadMessage> = v.object({
  messageId: v.string(),
  authorType,
  authorId: v.string(),
  authorName: orNull(v.string()),
  content: v.string(),
  createdAt: finite,
});

export const agentRow: Schema<AgentRow> = v.object({
  _id: v.string(),
  name: v.string(),
  slug: v.string(),
  role: v.string(),
  heartbeatInterval: v.optional(finite),
  systemSessionKey: v.string(),
  effectiveBehaviorFlags: behaviorFlags,
} satisfies EveryField<AgentRow>);

export const agentProfile: Schema<AgentProfile> = v.object({
  _id: v.string(),
  name: v.string(),
  slug: v.string(),
  role: v.string(),
  // It holds more, which the runtime does not need.
  openclawConfig: v.optional(v.object({ model: optionalString })),
  effectiveSoulContent: v.string(),
  effectiveUserMd: v.string(),
  effectiveIdentityContent: v.string(),
  resolvedSkills: v.array(
    v.object({
      _id: v.string(),
      name: v.string(),
      slug: v.string(),
      description: optionalString,
      contentMarkdown: optionalString,
    }),
  ),
} satisfies EveryField<AgentProfile>);

const mentionableAgent: Schema<MentionableAgent> = v.object({
  id: v.string(),
  slug: v.string(),
  name: v.string(),
  role: v.string(),
});

/**
 * Keeps one copy of a value that many answers repeat. The account's agents and documents come with every delivery
 * context, and each open run would otherwise keep its own.
 * @returns the value before, where it is the same
 */
export function sharedWithLast<T>(isSame: (one: T, other: T) => boolean): (value: T) => T {
  let last: T | undefined;
  return (value) => {
    if (last === undefined || !isSame(value, last)) last = value;
    return last;
  };
}

const agentList = v.pipe(
  v.array(mentionableAgent),
  v.transform(
    sharedWithLast<MentionableAgent[]>(
      (one, other) => one.length === other.length && one.every((agent, n) => isSameAgent(agent, other[n])),
    ),
  ),
);

const isSameAgent = (one: MentionableAgent, other: MentionableAgent | undefined): boolean =>
  one.id === other?.id && one.slug === other.slug && one.name === other.name && one.role === other.role;

const document = () =>
  v.pipe(
    v.object({ title: v.string(), content: v.string() }),
    v.transform(
      sharedWithLast<{ title: string; content: string }>(
        (one, other) => one.title === other.title && one.content === other.content,
      ),
    ),
  );

const taskOverview = v.object({
  totals: v.array(v.object({ status: v.string(), count: finite })),
  topTasks: v.array(
    v.object({
      status: v.string(),
      tasks: v.array(
        v.object({ taskId: v.string(), title: v.string(), status: v.string(), priority: finite }),
      ),
    }),
  ),
});

export const deliveryContext: Schema<DeliveryContext | null> = v.nullable(
  v.object({
    notification: notificationRow,
    agent: orNull(v.object({ _id: v.string(), name: v.string(), slug: v.string(), role: v.string() })),
    task: orNull(taskRow),
    message: orNull(
      v.object({
        _id: v.string(),
        authorType,
        authorId: v.string(),
        content: v.string(),
        createdAt: finite,
      }),
    ),
    thread: v.array(threadMessage),
    sourceNotificationType: orNull(v.string()),
    orchestratorAgentId: orNull(v.string()),
    primaryUserMention: orNull(v.object({ id: v.string(), name: v.string() })),
    mentionableAgents: agentList,
    assignedAgents: v.array(mentionableAgent),
    effectiveBehaviorFlags: behaviorFlags,
    deliverySessionKey: optionalString,
    repositoryDoc: orNull(document()),
    globalBriefingDoc: orNull(document()),
    taskOverview: orNull(taskOverview),
  } satisfies EveryField<DeliveryContext>),
);

/** The runtime treats every strategy alike (docs/contract.md#fleet), so an unknown one must not hide the request. */
const strategy: Schema<PendingUpgrade['strategy']> = v.pipe(
  v.string(),
  v.transform((text) => (text === 'rolling' || text === 'canary' ? text : 'immediate')),
);

export const pendingUpgrade: Schema<PendingUpgrade | null> = v.nullable(
  v.object({
    targetOpenclawVersion: v.string(),
    targetRuntimeVersion: v.string(),
    initiatedAt: finite,
    initiatedBy: v.string(),
    strategy,
  }),
);

export const createdMessage = v.object({ messageId: v.string() });
export const orchestrator = v.object({ orchestratorAgentId: v.nullable(v.string()) });
export const restartRequest = v.object({ restartRequested: v.boolean() });
/** The thread's rows are read one by one. */
export const taskDetails = v.object({ thread: v.unknown() });

// What tools read (src/tools/).

export const toolTask: Schema<ToolTask> = v.object({
  ...taskFields,
  dueDate: v.optional(finite),
  createdBy: v.string(),
  createdAt: finite,
  metadata: v.optional(v.object({ prNumber: v.optional(finite) })),
} satisfies EveryField<ToolTask>);

export const foundTask: Schema<FoundTask> = v.object({
  _id: v.string(),
  title: v.string(),
  status: v.picklist(TASK_STATUSES),
  priority: finite,
  blockedReason: optionalString,
  assignedAgentIds: v.array(v.string()),
  assignedUserIds: v.array(v.string()),
  createdAt: finite,
  updatedAt: finite,
  relevanceScore: finite,
} satisfies EveryField<FoundTask>);

export const activity: Schema<Activity> = v.object({
  type: v.string(),
  actorType: v.string(),
  actorName: v.string(),
  targetType: v.string(),
  targetId: v.string(),
  targetName: optionalString,
  meta: v.optional(v.unknown()),
  createdAt: finite,
} satisfies EveryField<Activity>);

export const agentSkills: Schema<AgentSkills> = v.object({
  agentId: v.string(),
  skillIds: v.array(v.string()),
  skillCount: finite,
} satisfies EveryField<AgentSkills>);

/** A type that a newer backend adds is left out. */
const documentType: Schema<DocumentType | undefined> = v.fallback(
  v.optional(v.picklist(DOCUMENT_TYPES)),
  undefined,
);

export const listedDocument: Schema<ListedDocument> = v.object({
  _id: v.string(),
  title: v.string(),
  type: documentType,
  taskId: optionalString,
  updatedAt: finite,
} satisfies EveryField<ListedDocument>);

export const taskOrNull: Schema<ToolTask | null> = v.nullable(toolTask);
export const documentList = v.object({ documents: v.unknown() });
export const statusAfter = v.object({ status: v.picklist(TASK_STATUSES), changed: v.boolean() });
export const changedFields = v.object({ changedFields: v.array(v.string()) });
export const createdTask = v.object({ taskId: v.string() });
export const createdRequests = v.object({ notificationIds: v.array(v.string()) });
export const savedDocument = v.object({ documentId: v.string() });
/** The rows of the lists are read one by one. */
export const loadedTask = v.object({ task: toolTask, thread: v.unknown() });
export const loadedHistory = v.object({ task: toolTask, messages: v.unknown(), activities: v.unknown() });

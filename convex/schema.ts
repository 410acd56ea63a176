/**
 * The tables of the local Mission Control backend. Row shapes are those of the contract (docs/contract.md#documents);
 * members, subscriptions, skills, uploads and activities are this backend's own.
 */
import { defineSchema, defineTable } from 'convex/server';
import { v } from 'convex/values';
import {
  agentStatus,
  documentType,
  fleetStatus,
  notificationType,
  partyType,
  runtimeStatus,
  taskStatus,
} from './enums.ts';
import {
  accountSettings,
  activityMeta,
  attachmentInput,
  mention,
  openclawConfig,
  pendingUpgrade,
  runtimeConfig,
  upgradeRecord,
} from './shapes.ts';

export default defineSchema({
  accounts: defineTable({
    name: v.string(),
    slug: v.string(),
    plan: v.string(),
    runtimeStatus,
    runtimeConfig: v.optional(runtimeConfig),
    serviceTokenHash: v.optional(v.string()),
    settings: v.optional(accountSettings),
    restartRequestedAt: v.optional(v.number()),
    createdAt: v.number(),
  })
    .index('by_slug', ['slug'])
    .index('by_runtime_health', ['runtimeStatus', 'runtimeConfig.lastHealthCheck']),

  members: defineTable({
    accountId: v.id('accounts'),
    /** The subject of the user's identity. */
    userId: v.string(),
    name: v.string(),
    email: v.optional(v.string()),
    role: v.union(v.literal('owner'), v.literal('admin'), v.literal('member')),
    /** SHA-256 of the secret of a person's token (convex/demo/access.ts); only where people have no sign-in. */
    tokenHash: v.optional(v.string()),
  }).index('by_account_user', ['accountId', 'userId']),

  agents: defineTable({
    accountId: v.id('accounts'),
    name: v.string(),
    slug: v.string(),
    role: v.string(),
    description: v.optional(v.string()),
    status: agentStatus,
    currentTaskId: v.optional(v.id('tasks')),
    lastHeartbeat: v.optional(v.number()),
    /** Minutes. */
    heartbeatInterval: v.number(),
    avatarUrl: v.optional(v.string()),
    icon: v.optional(v.string()),
    soulContent: v.optional(v.string()),
    identityContent: v.optional(v.string()),
    openclawConfig: v.optional(openclawConfig),
    createdAt: v.number(),
  }).index('by_account_slug', ['accountId', 'slug']),

  tasks: defineTable({
    accountId: v.id('accounts'),
    title: v.string(),
    description: v.optional(v.string()),
    status: taskStatus,
    /** 1 is the highest, 5 the lowest. */
    priority: v.number(),
    assignedUserIds: v.array(v.string()),
    assignedAgentIds: v.array(v.id('agents')),
    labels: v.array(v.string()),
    dueDate: v.optional(v.number()),
    blockedReason: v.optional(v.string()),
    archivedAt: v.optional(v.number()),
    metadata: v.optional(v.object({ prNumber: v.optional(v.number()) })),
    createdBy: v.string(),
    createdAt: v.number(),
    updatedAt: v.number(),
    lastMessageAt: v.optional(v.number()),
  })
    .index('by_account_updated', ['accountId', 'updatedAt'])
    .index('by_account_created', ['accountId', 'createdAt'])
    .index('by_account_status_updated', ['accountId', 'status', 'updatedAt'])
    .index('by_account_status_created', ['accountId', 'status', 'createdAt']),

  messages: defineTable({
    accountId: v.id('accounts'),
    taskId: v.id('tasks'),
    authorType: partyType,
    authorId: v.string(),
    content: v.string(),
    mentions: v.array(mention),
    attachments: v.optional(v.array(attachmentInput.extend({ storageId: v.optional(v.id('_storage')) }))),
    createdAt: v.number(),
    editedAt: v.optional(v.number()),
    sourceNotificationId: v.optional(v.id('notifications')),
    /** Which version of that row it answers; only where the reply came with it (docs/contract-extensions.md). */
    sourceVersion: v.optional(v.string()),
  })
    .index('by_task', ['taskId', 'createdAt'])
    .index('by_task_author', ['taskId', 'authorType', 'authorId', 'createdAt'])
    .index('by_source', ['sourceNotificationId', 'sourceVersion']),

  notifications: defineTable({
    accountId: v.id('accounts'),
    type: notificationType,
    recipientType: partyType,
    recipientId: v.string(),
    taskId: v.optional(v.id('tasks')),
    messageId: v.optional(v.id('messages')),
    title: v.string(),
    body: v.string(),
    deliveredAt: v.optional(v.number()),
    readAt: v.optional(v.number()),
    deliveryEndedAt: v.optional(v.number()),
    /** The runtime that works on it, while that one is in leaseHolders. */
    heldBy: v.optional(v.string()),
    createdAt: v.number(),
  })
    .index('by_queue', ['accountId', 'recipientType', 'deliveredAt', 'createdAt'])
    .index('by_account', ['accountId', 'createdAt'])
    .index('by_arrival', ['accountId', 'recipientType', 'createdAt'])
    .index('by_recipient_task', ['recipientType', 'recipientId', 'taskId', 'type', 'deliveredAt'])
    .index('by_recipient_task_newest', ['recipientType', 'recipientId', 'taskId', 'type', 'createdAt']),

  /** Runtimes that rows are lent to (docs/contract-extensions.md#leasenotifications). */
  leaseHolders: defineTable({
    accountId: v.id('accounts'),
    name: v.string(),
    /** From here on its rows are free. */
    expiresAt: v.number(),
  }).index('by_account', ['accountId']),

  subscriptions: defineTable({
    taskId: v.id('tasks'),
    subscriberType: partyType,
    subscriberId: v.string(),
  }).index('by_task', ['taskId', 'subscriberType', 'subscriberId']),

  agentRuntimeSessions: defineTable({
    accountId: v.id('accounts'),
    agentId: v.id('agents'),
    sessionType: v.union(v.literal('task'), v.literal('system')),
    taskId: v.optional(v.id('tasks')),
    agentSlug: v.string(),
    generation: v.number(),
    sessionKey: v.string(),
    openedAt: v.number(),
    closedAt: v.optional(v.number()),
    closedReason: v.optional(v.string()),
  })
    .index('by_owner', ['agentId', 'sessionType', 'taskId', 'generation'])
    .index('by_task', ['taskId', 'closedAt']),

  runtimes: defineTable({
    accountId: v.id('accounts'),
    provider: v.union(v.literal('digitalocean'), v.literal('fly'), v.literal('aws'), v.literal('gcp')),
    providerId: v.string(),
    ipAddress: v.string(),
    region: v.string(),
    openclawVersion: v.string(),
    runtimeServiceVersion: v.string(),
    dockerImageTag: v.string(),
    status: fleetStatus,
    lastHealthCheck: v.optional(v.number()),
    pendingUpgrade: v.optional(pendingUpgrade),
    upgradeHistory: v.optional(v.array(upgradeRecord)),
    createdAt: v.number(),
    updatedAt: v.number(),
  }).index('by_account', ['accountId']),

  documents: defineTable({
    accountId: v.id('accounts'),
    /** A folder holds documents and has no content. Older rows have no kind. */
    kind: v.optional(v.union(v.literal('file'), v.literal('folder'))),
    /** If both are present, this wins over the title. */
    name: v.optional(v.string()),
    title: v.optional(v.string()),
    content: v.optional(v.string()),
    type: v.optional(documentType),
    taskId: v.optional(v.id('tasks')),
    authorType: v.optional(partyType),
    authorId: v.optional(v.string()),
    /** One more with every change of the content. */
    version: v.optional(v.number()),
    createdAt: v.optional(v.number()),
    updatedAt: v.number(),
    deletedAt: v.optional(v.number()),
  })
    .index('by_account_title', ['accountId', 'type', 'title'])
    .index('by_account_updated', ['accountId', 'updatedAt'])
    .index('by_task_updated', ['taskId', 'updatedAt']),

  /** A file that an agent may attach to a message of that task. */
  messageUploads: defineTable({
    accountId: v.id('accounts'),
    taskId: v.id('tasks'),
    storageId: v.id('_storage'),
    authorType: partyType,
    authorId: v.string(),
    createdAt: v.number(),
  }).index('by_storage', ['storageId', 'taskId']),

  skills: defineTable({
    accountId: v.id('accounts'),
    name: v.string(),
    slug: v.string(),
    description: v.optional(v.string()),
    contentMarkdown: v.optional(v.string()),
    isEnabled: v.boolean(),
  }).index('by_account', ['accountId', 'slug']),

  activities: defineTable({
    accountId: v.id('accounts'),
    type: v.string(),
    actorType: v.union(v.literal('user'), v.literal('agent'), v.literal('system')),
    actorId: v.string(),
    actorName: v.string(),
    targetType: v.string(),
    targetId: v.string(),
    targetName: v.optional(v.string()),
    meta: v.optional(activityMeta),
    createdAt: v.number(),
  })
    .index('by_account', ['accountId', 'createdAt'])
    .index('by_target', ['targetType', 'targetId', 'createdAt']),
});

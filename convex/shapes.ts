/** Objects that live inside rows and travel in arguments (docs/contract.md#documents). */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';
import { partyType, upgradeStatus, upgradeStrategy } from './enums.ts';

const flagFields = {
  canCreateTasks: v.boolean(),
  canModifyTaskStatus: v.boolean(),
  canCreateDocuments: v.boolean(),
  canMentionAgents: v.boolean(),
  canReviewTasks: v.boolean(),
  canMarkDone: v.boolean(),
};

export const behaviorFlags = v.object(flagFields);
export type BehaviorFlags = Infer<typeof behaviorFlags>;

export const openclawConfig = v.object({
  model: v.string(),
  temperature: v.number(),
  maxTokens: v.optional(v.number()),
  systemPromptPrefix: v.optional(v.string()),
  skillIds: v.array(v.id('skills')),
  contextConfig: v.optional(
    v.object({
      maxHistoryMessages: v.number(),
      includeTaskContext: v.boolean(),
      includeTeamContext: v.boolean(),
      customContextSources: v.optional(v.array(v.string())),
    }),
  ),
  rateLimits: v.optional(v.object({ requestsPerMinute: v.number(), tokensPerDay: v.optional(v.number()) })),
  behaviorFlags: v.optional(
    v.object({ ...flagFields, requiresApprovalForActions: v.optional(v.array(v.string())) }),
  ),
});

export const accountSettings = v.object({
  userMd: v.optional(v.string()),
  agentDefaults: v.optional(v.object({ behaviorFlags: v.optional(behaviorFlags.partial()) })),
  orchestratorAgentId: v.optional(v.id('agents')),
  orchestratorChatTaskId: v.optional(v.id('tasks')),
});

/** What a runtime reports beside its status. Times are milliseconds since the epoch. */
export const runtimeConfig = v.object({
  dropletId: v.string(),
  ipAddress: v.string(),
  region: v.optional(v.string()),
  lastHealthCheck: v.optional(v.number()),
  openclawVersion: v.optional(v.string()),
  runtimeServiceVersion: v.optional(v.string()),
  lastUpgradeAt: v.optional(v.number()),
  lastUpgradeStatus: v.optional(upgradeStatus),
});
export type RuntimeConfig = Infer<typeof runtimeConfig>;

export const pendingUpgrade = v.object({
  targetOpenclawVersion: v.string(),
  targetRuntimeVersion: v.string(),
  initiatedAt: v.number(),
  initiatedBy: v.string(),
  strategy: upgradeStrategy,
});

export const upgradeRecord = v.object({
  fromOpenclawVersion: v.string(),
  toOpenclawVersion: v.string(),
  fromRuntimeVersion: v.string(),
  toRuntimeVersion: v.string(),
  status: upgradeStatus,
  startedAt: v.number(),
  completedAt: v.optional(v.number()),
  duration: v.optional(v.number()),
  error: v.optional(v.string()),
  initiatedBy: v.string(),
});
export type UpgradeRecord = Infer<typeof upgradeRecord>;

export const mention = v.object({
  type: partyType,
  id: v.string(),
  name: v.string(),
  slug: v.optional(v.string()),
});
export type Mention = Infer<typeof mention>;

/** An attachment as a caller gives it. A row may also hold attachments with only a URL. */
export const attachmentInput = v.object({
  storageId: v.id('_storage'),
  name: v.string(),
  type: v.string(),
  size: v.number(),
  url: v.optional(v.string()),
});

export const threadMessage = v.object({
  messageId: v.id('messages'),
  authorType: partyType,
  authorId: v.string(),
  authorName: v.union(v.string(), v.null()),
  content: v.string(),
  createdAt: v.number(),
});
export type ThreadMessage = Infer<typeof threadMessage>;

/** Details of an activity: what changed, and the values before and after. */
export const activityMeta = v.record(
  v.string(),
  v.union(v.string(), v.number(), v.array(v.string()), v.null()),
);
export type ActivityMeta = Infer<typeof activityMeta>;

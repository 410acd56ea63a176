import type { Doc } from '../_generated/dataModel.js';
import type { BehaviorFlags } from '../shapes.ts';

const DEFAULTS: BehaviorFlags = {
  canCreateTasks: false,
  canModifyTaskStatus: true,
  canCreateDocuments: true,
  canMentionAgents: true,
  canReviewTasks: false,
  canMarkDone: false,
};

/** What an agent may do: defaults, then the account's, then its own (docs/contract.md#enumerations). */
export function effectiveBehaviorFlags(account: Doc<'accounts'>, agent: Doc<'agents'> | null): BehaviorFlags {
  const flags: BehaviorFlags = {
    ...DEFAULTS,
    ...account.settings?.agentDefaults?.behaviorFlags,
    ...agent?.openclawConfig?.behaviorFlags,
  };
  // The agent's own settings may hold other fields too, so only the flags are copied.
  const { canCreateTasks, canModifyTaskStatus, canCreateDocuments } = flags;
  const { canMentionAgents, canReviewTasks, canMarkDone } = flags;
  return {
    canCreateTasks,
    canModifyTaskStatus,
    canCreateDocuments,
    canMentionAgents,
    canReviewTasks,
    canMarkDone,
  };
}

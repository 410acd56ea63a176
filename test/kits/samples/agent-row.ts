import type { AgentRow } from '../../../machines/shared/mission-control.ts';

export const agentRow = (slug: string, name = slug): AgentRow => ({
  _id: name,
  name,
  slug,
  role: 'r',
  systemSessionKey: 's',
  effectiveBehaviorFlags: {
    canCreateTasks: false,
    canModifyTaskStatus: true,
    canCreateDocuments: true,
    canMentionAgents: true,
    canReviewTasks: false,
    canMarkDone: false,
  },
});

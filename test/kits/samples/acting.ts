import type { ActingAgent } from '../../../machines/shared/acting.ts';
import type { BehaviorFlags } from '../../../machines/shared/mission-control.ts';

const DEFAULT_FLAGS: BehaviorFlags = {
  canCreateTasks: false,
  canModifyTaskStatus: true,
  canCreateDocuments: true,
  canMentionAgents: true,
  canReviewTasks: false,
  canMarkDone: false,
};

/** An agent with the default flags that works on a task, among two others. */
export const actingAgent = (
  part: Partial<Omit<ActingAgent, 'flags'>> & { flags?: Partial<BehaviorFlags> } = {},
): ActingAgent => ({
  agentId: 'agent-engineer',
  slug: 'engineer',
  isOrchestrator: false,
  taskId: 'task1',
  taskStatus: 'in_progress',
  inBeat: false,
  known: [
    { _id: 'agent-engineer', slug: 'engineer' },
    { _id: 'agent-qa', slug: 'qa' },
    { _id: 'agent-lead', slug: 'squad-lead' },
  ],
  ...part,
  flags: { ...DEFAULT_FLAGS, ...part.flags },
});

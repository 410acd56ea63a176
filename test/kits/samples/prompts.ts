import type { DeliveryContext, NotificationType, TaskRow } from '../../../machines/shared/mission-control.ts';
import type { Beat } from '../../../src/gateway/beat-prompt.ts';

const TIME = Date.UTC(2026, 10, 23, 9, 30);

const task: TaskRow = {
  _id: 'task1',
  title: 'Ship it',
  description: 'All of it.',
  status: 'in_progress',
  priority: 2,
  labels: ['web'],
  assignedAgentIds: ['a1', 'a2'],
  assignedUserIds: [],
  updatedAt: TIME,
};

const engineer = { id: 'a1', slug: 'engineer', name: 'Engineer', role: 'Builds things' };
const qa = { id: 'a2', slug: 'qa', name: 'QA', role: 'Tests things' };

const said = (messageId: string, authorType: 'user' | 'agent', content: string) => ({
  messageId,
  authorType,
  authorId: authorType === 'user' ? 'u1' : 'a2',
  authorName: authorType === 'user' ? 'Ada' : 'QA',
  content,
  createdAt: TIME,
});

/** A delivery to the engineer about a task that QA is on as well. */
export function sampleDelivery(
  part: Partial<DeliveryContext> & { type?: NotificationType; by?: 'user' | 'agent' } = {},
): DeliveryContext {
  const { type = 'mention', by = 'user', ...rest } = part;
  const message = said('m2', by, 'Please look.\nNow.');
  return {
    notification: {
      _id: 'n1',
      type,
      recipientType: 'agent',
      recipientId: 'a1',
      taskId: 'task1',
      messageId: 'm2',
      title: 'You are needed',
      body: 'In task "Ship it"',
      createdAt: TIME,
    },
    agent: { _id: 'a1', name: 'Engineer', slug: 'engineer', role: 'Builds things' },
    task,
    message: { ...message, _id: message.messageId },
    thread: [said('m1', 'user', 'Earlier words'), message],
    sourceNotificationType: null,
    orchestratorAgentId: null,
    primaryUserMention: { id: 'u1', name: 'Ada' },
    mentionableAgents: [engineer, qa],
    assignedAgents: [engineer, qa],
    effectiveBehaviorFlags: {
      canCreateTasks: false,
      canModifyTaskStatus: true,
      canCreateDocuments: true,
      canMentionAgents: true,
      canReviewTasks: false,
      canMarkDone: false,
    },
    deliverySessionKey: 'task:task1:agent:engineer:acc:v1',
    repositoryDoc: null,
    globalBriefingDoc: null,
    taskOverview: null,
    ...rest,
  };
}

export const sampleBeat = (part: Partial<Beat> = {}): Beat => ({
  agent: { name: 'Engineer', slug: 'engineer', role: 'Builds things' },
  tasks: [task],
  focus: task,
  thread: [said('m1', 'user', 'How far are you?')],
  isOrchestrator: false,
  ...part,
});

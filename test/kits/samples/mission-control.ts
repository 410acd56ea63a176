/** Rows of Mission Control as the tests of the machines need them. */
import { createActor, fromTransition, type EventObject } from 'xstate';
import type {
  AgentRow,
  BehaviorFlags,
  DeliveryContext,
  NotificationRow,
  TaskRow,
} from '../../../machines/shared/mission-control.ts';
import type { Parent } from '../../../machines/shared/parent.ts';

const FLAGS: BehaviorFlags = {
  canCreateTasks: true,
  canModifyTaskStatus: true,
  canCreateDocuments: true,
  canMentionAgents: true,
  canReviewTasks: false,
  canMarkDone: false,
};

export const sampleAgent = (changes: Partial<AgentRow> = {}): AgentRow => ({
  _id: 'agent-e',
  name: 'Engineer',
  slug: 'engineer',
  role: 'Engineer',
  systemSessionKey: 'system:agent:engineer:acc:v1',
  effectiveBehaviorFlags: FLAGS,
  ...changes,
});

export const sampleRow = (changes: Partial<NotificationRow> = {}): NotificationRow => ({
  _id: 'n1',
  type: 'mention',
  recipientType: 'agent',
  recipientId: 'agent-e',
  taskId: 'task-1',
  messageId: 'm1',
  title: 'Ann mentioned you',
  body: 'You were mentioned in task "Build"',
  createdAt: 1_000,
  ...changes,
});

/** A row without one of its optional fields. */
export function rowWithout(
  field: 'taskId' | 'messageId',
  changes: Partial<NotificationRow> = {},
): NotificationRow {
  const row = sampleRow(changes);
  Reflect.deleteProperty(row, field);
  return row;
}

export const sampleTask = (changes: Partial<TaskRow> = {}): TaskRow => ({
  _id: 'task-1',
  title: 'Build',
  status: 'in_progress',
  priority: 3,
  labels: [],
  assignedAgentIds: ['agent-e'],
  assignedUserIds: [],
  updatedAt: 900,
  ...changes,
});

export const sampleMessage = (changes: Partial<NonNullable<DeliveryContext['message']>> = {}) => ({
  _id: 'm1',
  authorType: 'user' as const,
  authorId: 'user-ann',
  content: '@engineer please build it',
  createdAt: 990,
  ...changes,
});

/** A context in which the agent is to be run: a user's mention on a task in progress. */
export const sampleContext = (changes: Partial<DeliveryContext> = {}): DeliveryContext => ({
  notification: sampleRow(),
  agent: { _id: 'agent-e', name: 'Engineer', slug: 'engineer', role: 'Engineer' },
  task: sampleTask(),
  message: sampleMessage(),
  thread: [],
  sourceNotificationType: null,
  orchestratorAgentId: 'agent-o',
  primaryUserMention: null,
  mentionableAgents: [],
  assignedAgents: [],
  effectiveBehaviorFlags: FLAGS,
  deliverySessionKey: 'task:task-1:agent:engineer:acc:v1',
  repositoryDoc: null,
  globalBriefingDoc: null,
  taskOverview: null,
  ...changes,
});

/** A parent that keeps what it is told. */
export function createListener<TEvent extends EventObject>(): { parent: Parent<TEvent>; heard: TEvent[] } {
  const heard: TEvent[] = [];
  const parent = createActor(
    fromTransition((state: null, event: TEvent) => {
      heard.push(event);
      return state;
    }, null),
    { id: 'parent' },
  ).start();
  return { parent, heard };
}

/** Lets everything that waits for a settled promise go on. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** docs/contract.md#skip-rules: which notifications are run, one row per rule. */
import { expect, test } from 'vitest';
import type { BehaviorFlags, DeliveryContext, TaskRow } from '../shared/mission-control.ts';
import { mustAnswer, skipReason, startsTask, type SkipReason } from './rules.ts';

const FLAGS: BehaviorFlags = {
  canCreateTasks: false,
  canModifyTaskStatus: true,
  canCreateDocuments: true,
  canMentionAgents: true,
  canReviewTasks: false,
  canMarkDone: false,
};

const TASK: TaskRow = {
  _id: 'task',
  title: 'A task',
  status: 'in_progress',
  priority: 3,
  labels: [],
  assignedAgentIds: [],
  assignedUserIds: [],
  updatedAt: 0,
};

type Change = Partial<Omit<DeliveryContext, 'notification'>> & {
  notification?: Partial<DeliveryContext['notification']>;
};

const context = ({ notification, ...change }: Change): DeliveryContext => ({
  notification: {
    _id: 'n',
    type: 'mention',
    recipientType: 'agent',
    recipientId: 'engineer',
    taskId: 'task',
    messageId: 'm1',
    title: '',
    body: '',
    createdAt: 10,
    ...notification,
  },
  agent: { _id: 'engineer', name: 'Engineer', slug: 'engineer', role: 'Engineer' },
  task: TASK,
  message: { _id: 'm1', authorType: 'user', authorId: 'u', content: 'hello', createdAt: 10 },
  thread: [],
  sourceNotificationType: null,
  orchestratorAgentId: 'lead',
  primaryUserMention: null,
  mentionableAgents: [],
  assignedAgents: [],
  effectiveBehaviorFlags: FLAGS,
  deliverySessionKey: 'task:task:agent:engineer:a:v1',
  repositoryDoc: null,
  globalBriefingDoc: null,
  taskOverview: null,
  ...change,
});

const engineer = { id: 'engineer', slug: 'engineer', name: 'Engineer', role: 'Engineer' };
const reviewer = { ...FLAGS, canReviewTasks: true };
const chat: TaskRow = { ...TASK, labels: ['system:orchestrator-chat'] };
const threadUpdate = { type: 'thread_update' } as const;
const statusChange = { type: 'status_change' } as const;
const toLead = { recipientId: 'lead' } as const;
const byAgent = (authorId: string) =>
  ({ _id: 'm1', authorType: 'agent', authorId, content: 'hi', createdAt: 10 }) as const;
const inStatus = (status: TaskRow['status']): TaskRow => ({ ...TASK, status });
const laterUserMessage = {
  messageId: 'm2',
  authorType: 'user',
  authorId: 'u',
  authorName: 'U',
  content: 'again',
  createdAt: 11,
} as const;

const RULES: [rule: string, change: Change, expected: SkipReason | null][] = [
  ['a mention is run', {}, null],
  ['an assignment is run', { notification: { type: 'assignment' } }, null],
  ['a response request is run', { notification: { type: 'response_request' } }, null],
  ['the task is gone', { task: null }, 'taskGone'],
  ['a row that never had a task is run', { task: null, notification: { taskId: undefined } }, null],
  ['a gone task comes before a gone agent', { task: null, agent: null }, 'taskGone'],
  ['policy comes before a gone agent', { task: chat, agent: null }, 'policy'],
  ['the agent is gone', { agent: null }, 'agentGone'],
  ['there is no session', { deliverySessionKey: undefined }, 'noSession'],
  [
    'a gone agent comes before a missing session',
    { agent: null, deliverySessionKey: undefined },
    'agentGone',
  ],
  ['orchestrator chat: others are not run, not even for a mention', { task: chat }, 'policy'],
  ['orchestrator chat: the orchestrator is run', { task: chat, notification: toLead }, null],
  ['thread update by a user is run', { notification: threadUpdate }, null],
  ['thread update on a done task is not', { notification: threadUpdate, task: inStatus('done') }, 'policy'],
  [
    'thread update on a blocked task is not',
    { notification: threadUpdate, task: inStatus('blocked') },
    'policy',
  ],
  ['a mention on a done task is run', { task: inStatus('done') }, null],
  ['status change to in_progress is run', { notification: statusChange }, null],
  ['status change to done is not', { notification: statusChange, task: inStatus('done') }, 'policy'],
  ['status change to blocked is not', { notification: statusChange, task: inStatus('blocked') }, 'policy'],
  [
    'status change to review is not, for most',
    { notification: statusChange, task: inStatus('review') },
    'policy',
  ],
  [
    'status change to review is run for the orchestrator',
    { notification: { ...statusChange, ...toLead }, task: inStatus('review') },
    null,
  ],
  [
    'status change to review is run for a reviewer',
    { notification: statusChange, task: inStatus('review'), effectiveBehaviorFlags: reviewer },
    null,
  ],
  [
    'thread update by an agent reaches the orchestrator',
    { notification: { ...threadUpdate, ...toLead }, message: byAgent('qa') },
    null,
  ],
  [
    'but not by the orchestrator itself',
    { notification: { ...threadUpdate, ...toLead }, message: byAgent('lead') },
    'policy',
  ],
  [
    'thread update by an agent reaches an assignee',
    { notification: threadUpdate, message: byAgent('qa'), assignedAgents: [engineer] },
    null,
  ],
  ['and nobody else', { notification: threadUpdate, message: byAgent('qa') }, 'policy'],
  [
    'and a reviewer, when the task is in review',
    {
      notification: threadUpdate,
      message: byAgent('qa'),
      task: inStatus('review'),
      effectiveBehaviorFlags: reviewer,
    },
    null,
  ],
  [
    'a reviewer of a task that is not in review is nobody special',
    { notification: threadUpdate, message: byAgent('qa'), effectiveBehaviorFlags: reviewer },
    'policy',
  ],
  [
    'an answer to a thread update goes no further',
    {
      notification: threadUpdate,
      message: byAgent('qa'),
      assignedAgents: [engineer],
      sourceNotificationType: 'thread_update',
    },
    'policy',
  ],
  [
    "unless it is the orchestrator's, to an assignee",
    {
      notification: threadUpdate,
      message: byAgent('lead'),
      assignedAgents: [engineer],
      sourceNotificationType: 'thread_update',
    },
    null,
  ],
  [
    "unless it is the orchestrator's, to a reviewer",
    {
      notification: threadUpdate,
      message: byAgent('lead'),
      task: inStatus('review'),
      effectiveBehaviorFlags: reviewer,
      sourceNotificationType: 'thread_update',
    },
    null,
  ],
  [
    "the orchestrator's answer to a thread update is not for others",
    { notification: threadUpdate, message: byAgent('lead'), sourceNotificationType: 'thread_update' },
    'policy',
  ],
  [
    'a thread update that a later user message has overtaken is stale',
    { notification: threadUpdate, thread: [laterUserMessage] },
    'stale',
  ],
  [
    "a later agent's message does not make it stale",
    { notification: threadUpdate, thread: [{ ...laterUserMessage, authorType: 'agent' }] },
    null,
  ],
  ['a mention is never stale', { thread: [laterUserMessage] }, null],
  [
    "an agent's thread update is never stale",
    {
      notification: threadUpdate,
      message: byAgent('qa'),
      assignedAgents: [engineer],
      thread: [laterUserMessage],
    },
    null,
  ],
  [
    'a stale row comes before a gone agent',
    { notification: threadUpdate, thread: [laterUserMessage], agent: null },
    'stale',
  ],
];

test.each(RULES)('%s', (_rule, change, expected) => {
  expect(skipReason(context(change))).toBe(expected);
});

test.each<[string, Change, boolean]>([
  ['an assignment', { notification: { type: 'assignment' } }, true],
  ['a mention', {}, true],
  ['a response request', { notification: { type: 'response_request' } }, true],
  ['a thread update of a user', { notification: threadUpdate }, true],
  ['a thread update of an agent', { notification: threadUpdate, message: byAgent('qa') }, false],
  ['a status change', { notification: statusChange }, false],
])('somebody waits for the answer to %s: %o %s', (_what, change, expected) => {
  expect(mustAnswer(context(change))).toBe(expected);
});

const assignment = { notification: { type: 'assignment' } } as const;

test.each<[string, Change, boolean]>([
  ['an answered assignment starts its task', { ...assignment, task: inStatus('assigned') }, true],
  ['not one that has started already', { ...assignment, task: inStatus('in_progress') }, false],
  ['not a mention', { task: inStatus('assigned') }, false],
  [
    'not for an agent that may not',
    {
      ...assignment,
      task: inStatus('assigned'),
      effectiveBehaviorFlags: { ...FLAGS, canModifyTaskStatus: false },
    },
    false,
  ],
])('%s', (_rule, change, expected) => {
  expect(startsTask(context(change))).toBe(expected);
});

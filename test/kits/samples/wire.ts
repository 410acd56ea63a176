/** Answers of the service as a deployment sends them, fields that the runtime does not use included. */

export const NOTIFICATION = {
  _id: 'n1',
  _creationTime: 1.5,
  accountId: 'acc1',
  type: 'mention',
  recipientType: 'agent',
  recipientId: 'a1',
  taskId: 't1',
  messageId: 'm1',
  title: 'Ann mentioned you',
  body: 'You were mentioned in task "Login"',
  createdAt: 1000,
};

export const FLAGS = {
  canCreateTasks: false,
  canModifyTaskStatus: true,
  canCreateDocuments: true,
  canMentionAgents: true,
  canReviewTasks: false,
  canMarkDone: false,
};

export const AGENT = {
  _id: 'a1',
  accountId: 'acc1',
  name: 'Engineer',
  slug: 'engineer',
  role: 'Developer',
  status: 'idle',
  heartbeatInterval: 15,
  openclawConfig: { model: 'minimax-m2.5' },
  systemSessionKey: 'system:agent:engineer:acc1:v1',
  effectiveBehaviorFlags: { ...FLAGS, requiresApprovalForActions: [] },
};

export const TASK = {
  _id: 't1',
  accountId: 'acc1',
  title: 'Login',
  description: 'Mend it',
  status: 'in_progress',
  priority: 3,
  labels: [],
  assignedAgentIds: ['a1'],
  assignedUserIds: [],
  createdBy: 'u1',
  createdAt: 1,
  updatedAt: 2,
};

export const THREAD_MESSAGE = {
  messageId: 'm1',
  authorType: 'user',
  authorId: 'u1',
  authorName: null,
  content: 'Please look',
  createdAt: 900,
};

export const CONTEXT = {
  notification: NOTIFICATION,
  agent: AGENT,
  task: TASK,
  message: {
    _id: 'm1',
    taskId: 't1',
    authorType: 'user',
    authorId: 'u1',
    content: 'Please look',
    createdAt: 900,
  },
  thread: [THREAD_MESSAGE],
  sourceNotificationType: null,
  orchestratorAgentId: 'a9',
  primaryUserMention: { id: 'u1', name: 'Ann', email: null },
  mentionableAgents: [{ id: 'a1', slug: 'engineer', name: 'Engineer', role: 'Developer' }],
  assignedAgents: [{ id: 'a1', slug: 'engineer', name: 'Engineer', role: 'Developer' }],
  effectiveBehaviorFlags: FLAGS,
  deliverySessionKey: 'task:t1:agent:engineer:acc1:v1',
  repositoryDoc: null,
  globalBriefingDoc: { title: 'Account Briefing', content: 'We build' },
  taskOverview: {
    totals: [{ status: 'review', count: 2 }],
    topTasks: [
      {
        status: 'review',
        tasks: [
          {
            taskId: 't2',
            title: 'Notes',
            status: 'review',
            priority: 1,
            assignedAgentIds: [],
            assignedUserIds: [],
          },
        ],
      },
    ],
  },
};

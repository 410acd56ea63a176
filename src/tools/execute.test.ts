import { expect, test } from 'vitest';
import type { ActingAgent, CallCircumstances, ToolMode } from '../../machines/shared/acting.ts';
import { Fault } from '../../machines/shared/fault.ts';
import { actingAgent } from '../../test/kits/samples/acting.ts';
import { scriptedService, toolTask } from '../../test/kits/samples/tool-service.ts';
import { FunctionFault } from '../mission-control/function-fault.ts';
import { createExecute } from './execute.ts';
import type { ToolService } from './service.ts';

interface World {
  answers?: Partial<{ [Name in keyof ToolService]: unknown }>;
  agent?: ActingAgent;
  mode?: ToolMode;
  circumstances?: Partial<CallCircumstances>;
  signal?: AbortSignal;
}

async function callTool(name: string, args: unknown, world: World = {}) {
  const { answers = {}, agent = actingAgent(), mode = 'on', circumstances } = world;
  const { service, calls } = scriptedService(answers);
  const bugs: unknown[] = [];
  const execute = createExecute({ service, mode, onBug: (_, error) => bugs.push(error) });
  const text = typeof args === 'string' ? args : JSON.stringify(args);
  const { output, outcome } = await execute({ callId: 'c1', name, arguments: text }, agent, {
    repeat: false,
    since: null,
    signal: world.signal ?? new AbortController().signal,
    ...circumstances,
  });
  const envelope = JSON.parse(output) as { ok: boolean; data?: unknown; error?: { code: string } };
  return { envelope, outcome, calls, bugs };
}

const lead = actingAgent({ agentId: 'agent-lead', slug: 'squad-lead', isOrchestrator: true });
const creator = actingAgent({ flags: { canCreateTasks: true } });
const rejected = (words: string, code: string | null = null) =>
  new FunctionFault('backendRejected', `f failed: ${words}`, {
    code,
    words,
    mayBeAbsent: false,
    retryAfterMs: 0,
  });

test('a call without a task means the task of the run, and the run says who acts', async () => {
  const answers = { updateTaskStatus: { status: 'review', changed: true } };
  const { envelope, outcome, calls } = await callTool('task_status', { status: 'review' }, { answers });
  expect(calls).toEqual([
    ['updateTaskStatus', { agentId: 'agent-engineer', taskId: 'task1', status: 'review' }],
  ]);
  expect(envelope).toEqual({
    tool: 'task_status',
    ok: true,
    data: { taskId: 'task1', status: 'review', changed: true },
  });
  expect(outcome).toBe('ok');
});

test('whoever acts is never an argument', async () => {
  const { envelope, calls } = await callTool('task_status', { status: 'review', agentId: 'agent-qa' });
  expect(envelope).toMatchObject({ error: { code: 'invalid_arguments' } });
  expect(JSON.stringify(envelope)).toContain('no parameter');
  expect(calls).toEqual([]);
});

test.each([
  ['not JSON', 'task_status', '{"status":'],
  ['no object', 'task_status', '[1]'],
  ['a status that no agent sets', 'task_status', { status: 'archived' }],
  ['a malformed id', 'task_load', { taskId: 'not an id' }],
  ['blocked without a reason', 'task_status', { status: 'blocked' }],
  ['nothing to change', 'task_update', { blockedReason: 'because' }],
  ['a title over its length', 'task_update', { title: 'x'.repeat(2_001) }],
  ['a priority that is none', 'task_update', { priority: 6 }],
  ['a document without a type', 'document_upsert', { title: 'a', content: 'b' }],
  ['a slug that nobody has', 'response_request', { recipientSlugs: ['qa', 'nobody'], message: 'Hello?' }],
  ['oneself', 'response_request', { recipientSlugs: ['@engineer'], message: 'Hello?' }],
  ['a number below one', 'task_load', { messageLimit: 0 }],
])('%s is told before any call', async (_, name, args) => {
  const { outcome, calls } = await callTool(name, args);
  expect(outcome).toBe('invalid_arguments');
  expect(calls).toEqual([]);
});

test.each([
  ['task_create', { title: 'New' }, actingAgent()],
  ['task_delete', { taskId: 'task1', reason: 'Done elsewhere' }, actingAgent()],
  ['task_status', { status: 'review' }, actingAgent({ flags: { canModifyTaskStatus: false } })],
  ['task_status', { status: 'review' }, actingAgent({ taskId: null })],
  ['task_status', { status: 'done' }, actingAgent()],
  ['task_update', { status: 'done' }, actingAgent()],
  ['task_status', { status: 'done' }, actingAgent({ flags: { canMarkDone: true }, inBeat: true })],
  ['task_update', { assignedAgentIds: ['qa'] }, actingAgent()],
  ['task_create', { title: 'New', assigneeSlugs: ['qa'] }, creator],
])('%s with %j is not allowed, and the backend sees no call', async (name, args, agent) => {
  const { outcome, calls } = await callTool(name, args, { agent });
  expect(outcome).toBe('not_allowed');
  expect(calls).toEqual([]);
});

test('what was not offered is not allowed, and what is no tool is not found', async () => {
  expect((await callTool('task_status', { status: 'review' }, { mode: 'read' })).outcome).toBe('not_allowed');
  expect((await callTool('task_load', {}, { mode: 'off' })).outcome).toBe('not_allowed');
  expect((await callTool('drop_tables', {})).outcome).toBe('not_found');
});

test('done goes out where the flag allows it: the backend knows the review', async () => {
  const answers = { updateTaskStatus: { status: 'done', changed: true } };
  const agent = actingAgent({ flags: { canMarkDone: true } });
  expect((await callTool('task_status', { status: 'done' }, { answers, agent })).outcome).toBe('ok');
});

test('a status that did not come about is a conflict that names the present one', async () => {
  const answers = { updateTaskStatus: { status: 'blocked', changed: false } };
  const { envelope, outcome } = await callTool('task_status', { status: 'review' }, { answers });
  expect(outcome).toBe('conflict');
  expect(JSON.stringify(envelope)).toContain('blocked');
});

test('a repeated status expects the one before the first try', async () => {
  const answers = { updateTaskStatus: { status: 'review', changed: false } };
  const circumstances = { repeat: true, before: 'in_progress' as const };
  const { calls } = await callTool('task_status', { status: 'review' }, { answers, circumstances });
  expect(calls[0]?.[1]).toMatchObject({ expectedStatus: 'in_progress' });
});

test('slugs become ids, with or without an @, and the orchestrator leaves itself out', async () => {
  const agent = { ...lead, flags: { ...lead.flags, canCreateTasks: true } };
  const args = {
    title: 'New',
    status: 'in_progress',
    priority: 'high',
    assigneeSlugs: ['@QA', 'squad-lead'],
  };
  const { calls } = await callTool('task_create', args, { agent, answers: { createTask: { taskId: 't2' } } });
  expect(calls).toEqual([
    [
      'createTask',
      { agentId: 'agent-lead', title: 'New', status: 'inbox', priority: 2, assignedAgentIds: ['agent-qa'] },
    ],
  ]);
});

test('new assignees of an update are told by an assignment', async () => {
  const answers = {
    getTask: toolTask(),
    assignTask: null,
    updateTask: { changedFields: ['assignedAgentIds'] },
  };
  const { calls } = await callTool('task_update', { assignedAgentIds: ['qa'] }, { agent: lead, answers });
  expect(calls.map(([name]) => name)).toEqual(['getTask', 'assignTask', 'updateTask']);
  expect(calls[1]?.[1]).toMatchObject({ assignedAgentIds: ['agent-qa'] });
});

test('a changed document stays with its task', async () => {
  const answers = {
    listDocuments: [{ _id: 'd1', title: 'Report', taskId: 'task7', updatedAt: 1 }],
    saveDocument: { documentId: 'd1' },
  };
  const document = { title: 'Report', content: 'New', type: 'note', documentId: 'd1' };
  const { calls } = await callTool('document_upsert', document, { answers });
  expect(calls[1]?.[1]).toMatchObject({ documentId: 'd1', taskId: 'task7' });
  const other = await callTool('document_upsert', { ...document, documentId: 'd2' }, { answers });
  expect(other.outcome).toBe('invalid_arguments');
  expect(JSON.stringify(other.envelope)).toContain('taskId');
});

test('a request says who was asked and who was asked before', async () => {
  const answers = {
    requestResponses: ({ recipientSlugs }: { recipientSlugs: string[] }) => ({
      notificationIds: recipientSlugs[0] === 'qa' ? ['n1'] : [],
    }),
  };
  const args = { recipientSlugs: ['qa', 'squad-lead', 'engineer'], message: ' Ready? ' };
  const { envelope, calls } = await callTool('response_request', args, { answers });
  expect(envelope.data).toEqual({
    taskId: 'task1',
    asked: ['qa'],
    askedAlreadyAndNotAnswered: ['squad-lead'],
  });
  expect(calls).toHaveLength(2);
  expect(calls[0]?.[1]).toMatchObject({ message: 'Ready?' });
});

test.each([
  [rejected('Forbidden: Task must be in review before marking done', 'FORBIDDEN'), 'conflict'],
  [rejected('Forbidden: QA must approve and mark tasks as done', 'FORBIDDEN'), 'not_allowed'],
  [rejected('Forbidden: Task belongs to different account'), 'not_found'],
  [rejected('Not found: Task does not exist', 'NOT_FOUND'), 'not_found'],
  [rejected("Invalid transition: Cannot move from 'inbox' to 'review'", 'INVALID'), 'conflict'],
  [rejected('Invalid status: must be in_progress, review, done, or blocked', 'INVALID'), 'invalid_arguments'],
  [rejected('ArgumentValidationError: Value does not match validator.'), 'invalid_arguments'],
  [rejected('something new', 'FORBIDDEN'), 'not_allowed'],
  [rejected(''), 'conflict'],
  [new Fault('backendRejected', 'a malformed answer'), 'conflict'],
])('a refusal by Mission Control is told: %s', async (fault, code) => {
  const { envelope, outcome, bugs } = await callTool('task_load', {}, { answers: { loadTask: fault } });
  expect(outcome).toBe(code);
  expect(envelope).toMatchObject({ ok: false, error: { code, hint: expect.stringMatching(/\S/) as string } });
  expect(bugs).toEqual([]);
});

test('Convex that is away, or refuses the token, is for the machine and not for the model', async () => {
  for (const kind of ['backendUnavailable', 'backendRefused'] as const) {
    const fault = new Fault(kind, 'away');
    await expect(callTool('task_load', {}, { answers: { loadTask: fault } })).rejects.toBe(fault);
  }
});

test('an abort rejects with its reason', async () => {
  const reason = new DOMException('gone', 'AbortError');
  await expect(callTool('task_load', {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('a mistake of ours is an answer all the same, and is told to us', async () => {
  const { outcome, bugs } = await callTool('task_load', {}, { answers: { loadTask: new TypeError('oops') } });
  expect(outcome).toBe('conflict');
  expect(bugs).toHaveLength(1);
});

const again = (kept: string[] = []) => ({ repeat: true, since: 5_000, kept });
const NEW = { title: 'New', description: 'Do it' };
const made = (part: object = {}) =>
  toolTask({ _id: 't2', ...NEW, createdAt: 6_000, updatedAt: 6_000, ...part });

test.each([
  ['found', [made()], again(), 'found'],
  ['not found: made now', [toolTask()], again(), 'ok'],
  ['older than the row', [made({ createdAt: 4_000, updatedAt: 4_000 })], again(), 'ok'],
  ["somebody else's", [made({ createdBy: 'agent-qa' })], again(), 'ok'],
  ['already known as the result of another call', [made()], again([kept('t2')]), 'ok'],
  ['two of them', [made(), made({ _id: 't3' })], again(), 'outcome_unknown'],
  [
    'a list that is cut off',
    Array.from({ length: 200 }, () => toolTask({ updatedAt: 9_000 })),
    again(),
    'outcome_unknown',
  ],
  ['nothing known of the time', [], { repeat: true, since: null }, 'outcome_unknown'],
])('a task whose creation was begun: %s', async (_, listTasksByStatus, circumstances, expected) => {
  const answers = { listTasksByStatus, createTask: { taskId: 't9' } };
  const { envelope, outcome, calls } = await callTool('task_create', NEW, {
    agent: creator,
    answers,
    circumstances,
  });
  expect(outcome).toBe(expected);
  expect(calls.some(([name]) => name === 'createTask')).toBe(expected === 'ok');
  if (expected === 'found') expect(envelope.data).toEqual({ taskId: 't2' });
});

function kept(taskId: string): string {
  return JSON.stringify({ tool: 'task_create', ok: true, data: { taskId } });
}

const message = (part: object = {}) => ({
  messageId: 'm2',
  authorType: 'agent',
  authorId: 'agent-lead',
  authorName: 'Lead',
  content: 'Look here',
  createdAt: 6_000,
  ...part,
});

test.each([
  ['found', [message()], 'found'],
  ['not there', [message({ content: 'other' })], 'ok'],
  ['before the row', [message({ createdAt: 4_000 })], 'ok'],
  ['twice', [message(), message({ messageId: 'm3' })], 'outcome_unknown'],
])('a message whose posting was begun: %s', async (_, thread, expected) => {
  const answers = { loadTask: { task: toolTask(), thread }, createTaskMessage: { messageId: 'm9' } };
  const args = { taskId: 'task1', content: 'Look here' };
  const world = { agent: lead, answers, circumstances: again() };
  expect((await callTool('task_message', args, world)).outcome).toBe(expected);
});

test.each([
  ['found', [{ _id: 'd2', title: 'Report', type: 'note', updatedAt: 6_000 }], 'found'],
  ['another type', [{ _id: 'd2', title: 'Report', type: 'reference', updatedAt: 6_000 }], 'ok'],
  [
    'a full page of newer ones',
    Array.from({ length: 100 }, () => ({ _id: 'x', title: 'x', updatedAt: 9_000 })),
    'outcome_unknown',
  ],
])('a document whose writing was begun: %s', async (_, listDocuments, expected) => {
  const answers = { listDocuments, saveDocument: { documentId: 'd9' } };
  const args = { title: 'Report', content: 'Text', type: 'note' };
  expect((await callTool('document_upsert', args, { answers, circumstances: again() })).outcome).toBe(
    expected,
  );
});

test('a request that was begun is asked again, but for those who have written since', async () => {
  const thread = [message({ authorId: 'agent-qa' })];
  const answers = { loadTask: { task: toolTask(), thread }, requestResponses: { notificationIds: [] } };
  const args = { recipientSlugs: ['qa', 'squad-lead'], message: 'Ready?' };
  const { envelope, calls } = await callTool('response_request', args, { answers, circumstances: again() });
  expect(envelope.data).toMatchObject({ asked: ['qa'], askedAlreadyAndNotAnswered: ['squad-lead'] });
  expect(calls.filter(([name]) => name === 'requestResponses')).toHaveLength(1);
});

test('an answer is cut at 24,000 characters and stays JSON', async () => {
  const thread = Array.from({ length: 200 }, () => message({ content: 'x'.repeat(5_000) }));
  const { envelope } = await callTool(
    'task_load',
    {},
    { answers: { loadTask: { task: toolTask(), thread } } },
  );
  expect(JSON.stringify(envelope).length).toBeLessThanOrEqual(24_000);
  expect(envelope.data).toHaveProperty('cut');
});

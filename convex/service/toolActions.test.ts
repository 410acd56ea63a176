/** The actions behind agents' tools (docs/contract.md#functions). */
import { expect, test } from 'vitest';
import type { Id } from '../_generated/dataModel.js';
import { carrying, createBackend, found, service } from '../testing.setup.ts';

type Backend = Awaited<ReturnType<typeof createBackend>>;

const taskOf = (backend: Backend, id: Id<'tasks'>) =>
  backend.t.run(async (ctx) => found(await ctx.db.get('tasks', id)));

/** The activities of a task, newest first. */
const history = async (backend: Backend, taskId: Id<'tasks'>) =>
  (
    await backend.t.action(service.getTaskHistoryForAgentTool, {
      ...backend.auth,
      agentId: backend.engineer,
      taskId,
    })
  ).activities;

const update = (backend: Backend, taskId: Id<'tasks'>, change: object, agentId = backend.engineer) =>
  backend.t.action(service.updateTaskFromAgent, { ...backend.auth, agentId, taskId, ...change });

test('an update changes what is given, and tells the fields', async () => {
  const backend = await createBackend();
  const change = { title: 'Fix the sign-in', priority: 2, labels: ['urgent'] };
  const { changedFields } = await update(backend, backend.bug, change);
  expect(changedFields.toSorted()).toEqual(['labels', 'priority', 'title']);
  expect(await taskOf(backend, backend.bug)).toMatchObject(change);
  expect((await history(backend, backend.bug))[0]).toMatchObject({
    type: 'task_updated',
    actorName: 'Engineer',
    targetName: 'Fix the sign-in',
  });
  expect(await update(backend, backend.bug, {})).toEqual({ taskId: backend.bug, changedFields: [] });
});

test('an update moves the task as well, but not to where it is', async () => {
  const backend = await createBackend();
  const { changedFields } = await update(backend, backend.bug, { priority: 5, status: 'review' });
  expect(changedFields).toEqual(['priority', 'status']);
  expect(await update(backend, backend.bug, { status: 'review' })).toMatchObject({ changedFields: [] });
  const [moved] = (await history(backend, backend.bug)).filter(({ type }) => type === 'task_status_changed');
  expect(moved?.meta).toEqual({ oldStatus: 'in_progress', newStatus: 'review' });
});

test('who begins a task by assigning it has its fields changed first', async () => {
  const backend = await createBackend();
  await backend.patchTask(backend.notes, { status: 'blocked', blockedReason: 'nobody is there' });
  await update(backend, backend.notes, { status: 'in_progress', assignedAgentIds: [backend.qa] });
  const task = await taskOf(backend, backend.notes);
  expect(task).toMatchObject({ status: 'in_progress', assignedAgentIds: [backend.qa] });
  expect(task).not.toHaveProperty('blockedReason');
  expect((await backend.queue()).filter(({ type }) => type === 'assignment')).toEqual([]);
});

test('what an update may not be', async () => {
  const backend = await createBackend();
  const refused = (change: object) => expect(update(backend, backend.bug, change)).rejects;
  await refused({ priority: 6 }).toThrow('Invalid priority:');
  await refused({ assignedAgentIds: [] }).toThrow('Invalid assignees:');
  await refused({ assignedUserIds: ['nobody'] }).toThrow('Invalid user: nobody');
  await refused({ status: 'archived' }).toThrow('Invalid status:');
  await refused({ status: 'done' }).toThrow('Forbidden: Task must be in review');
  await refused({ title: 'x'.repeat(2_001) }).toThrow('Title too long');
  expect((await taskOf(backend, backend.bug)).title).toBe('Fix the login bug');
  await backend.setFlags(backend.engineer, {});
  await refused({ priority: 1 }).toThrow('Forbidden: Agent is not allowed to modify tasks');
});

const assign = (backend: Backend, taskId: Id<'tasks'>, ids: Id<'agents'>[], agentId = backend.lead) =>
  backend.t.action(service.assignTaskFromAgent, { ...backend.auth, agentId, taskId, assignedAgentIds: ids });

test('an assignment adds agents, begins a task of the inbox, and tells the new ones', async () => {
  const backend = await createBackend();
  await assign(backend, backend.notes, [backend.engineer]);
  await assign(backend, backend.notes, [backend.engineer, backend.qa]);
  expect(await taskOf(backend, backend.notes)).toMatchObject({
    status: 'in_progress',
    assignedAgentIds: [backend.engineer, backend.qa],
  });
  const told = (await backend.queue()).filter(({ type }) => type === 'assignment');
  expect(told.map(({ recipientId }) => recipientId)).toEqual([backend.engineer, backend.qa]);
  expect((await history(backend, backend.notes)).map(({ meta }) => meta)).toContainEqual({
    oldStatus: 'inbox',
    newStatus: 'in_progress',
    reason: 'auto_assignment',
  });
  await expect(assign(backend, backend.notes, [backend.qa], backend.engineer)).rejects.toThrow(
    'Forbidden: Only the orchestrator can assign agents',
  );
});

test('an archived task says who gave it up and why', async () => {
  const backend = await createBackend();
  const call = { ...backend.auth, agentId: backend.lead, taskId: backend.notes, reason: 'not needed' };
  await backend.t.action(service.deleteTaskFromAgent, call);
  expect((await history(backend, backend.notes))[0]).toMatchObject({
    actorName: 'Squad Lead',
    meta: { oldStatus: 'inbox', newStatus: 'archived', reason: 'not needed', action: 'task_deleted' },
  });
});

test('a pull request is noted beside what else is known', async () => {
  const backend = await createBackend();
  const call = { ...backend.auth, agentId: backend.lead, taskId: backend.bug, prNumber: 12 };
  await backend.t.action(service.linkTaskToPrForAgentTool, call);
  expect((await taskOf(backend, backend.bug)).metadata).toEqual({ prNumber: 12 });
});

test('the orchestrator writes in a thread, and a mention wakes', async () => {
  const backend = await createBackend();
  const post = (agentId: Id<'agents'>, content: string) =>
    backend.t.action(service.createTaskMessageForAgentTool, {
      ...backend.auth,
      agentId,
      taskId: backend.bug,
      content,
    });
  await post(backend.lead, 'Please look, @qa');
  expect(await backend.queue()).toMatchObject([{ type: 'mention', recipientId: backend.qa }]);
  await expect(post(backend.engineer, 'Me too')).rejects.toThrow(
    'Forbidden: Only the orchestrator can post task messages',
  );
  await expect(post(backend.lead, 'x'.repeat(100_001))).rejects.toThrow('Message content too long');
});

const ask = (backend: Backend, recipientSlugs: string[], message = 'How far are you?') =>
  backend.t.action(service.createResponseRequestNotifications, {
    ...backend.auth,
    requesterAgentId: backend.lead,
    taskId: backend.bug,
    recipientSlugs,
    message,
  });

test('a request is made once, until the recipient has written or four hours have passed', async () => {
  const backend = await createBackend();
  const [first] = (await ask(backend, ['engineer'])).notificationIds;
  expect(await backend.queue()).toMatchObject([
    { _id: first, type: 'response_request', recipientId: backend.engineer, body: 'How far are you?' },
  ]);
  expect((await ask(backend, ['engineer'])).notificationIds).toEqual([]);
  expect((await ask(backend, ['engineer', 'qa'])).notificationIds).toHaveLength(1);

  const request = found(first);
  const patch = (fields: object) => backend.t.run((ctx) => ctx.db.patch('notifications', request, fields));
  await patch({ deliveredAt: Date.now() });
  expect((await ask(backend, ['engineer'])).notificationIds).toEqual([]);
  await patch({ createdAt: Date.now() - 4 * 60 * 60 * 1000 });
  expect((await ask(backend, ['engineer'])).notificationIds).toHaveLength(1);

  await backend.t.action(service.createMessageFromAgent, {
    ...backend.auth,
    taskId: backend.bug,
    agentId: backend.qa,
    content: 'All well.',
  });
  expect((await ask(backend, ['QA '])).notificationIds).toHaveLength(1);
});

test('what a request may not be', async () => {
  const backend = await createBackend();
  const refused = (slugs: string[], message?: string) => expect(ask(backend, slugs, message)).rejects;
  await refused(Array.from({ length: 11 }, () => 'qa')).toThrow('Too many recipients: max 10');
  await refused(['qa'], ' ').toThrow('Message is required');
  await refused(['qa'], 'x'.repeat(1_001)).toThrow('Message too long: max 1000 characters allowed');
  await refused([' ']).toThrow('Invalid recipient slugs: none provided');
  await refused(['qa', 'no', 'nobody']).toThrow('Unknown recipient slugs: no, nobody');
  await refused(['squad-lead']).toThrow('No valid recipients after filtering');
  await backend.setFlags(backend.lead, {});
  await refused(['qa']).toThrow('Forbidden: Agent may not request responses');
});

const save = (backend: Backend, part: object, agentId = backend.engineer) =>
  backend.t.action(service.createDocumentFromAgent, {
    ...backend.auth,
    agentId,
    title: 'Report',
    content: 'All of it.',
    type: 'deliverable' as const,
    ...part,
  });

const documents = async (backend: Backend, query: object = {}) =>
  (await backend.t.action(service.listDocumentsForAgent, { ...backend.auth, ...query })).documents;

test('a document is written, and changed as a whole', async () => {
  const backend = await createBackend();
  const { documentId } = await save(backend, { taskId: backend.bug });
  expect(await documents(backend, { taskId: backend.bug })).toMatchObject([
    { _id: documentId, title: 'Report', type: 'deliverable', taskId: backend.bug },
  ]);
  const row = () => backend.t.run((ctx) => ctx.db.get('documents', documentId));
  expect(await row()).toMatchObject({ kind: 'file', authorId: backend.engineer, version: 1 });
  await save(backend, { documentId, taskId: backend.bug });
  expect(await row()).toMatchObject({ version: 1 });
  await save(backend, { documentId, content: 'More.' });
  expect(await row()).toMatchObject({ version: 2, content: 'More.' });
  expect(await documents(backend, { taskId: backend.bug })).toEqual([]);
});

test('documents of the account come with the last changed first, without the deleted', async () => {
  const backend = await createBackend();
  const { documentId } = await save(backend, { type: 'note', title: 'Old' });
  await save(backend, { type: 'note', title: 'New' });
  expect((await documents(backend, { type: 'note' })).map(({ title }) => title)).toEqual(['New', 'Old']);
  expect((await documents(backend, { limit: 1 })).map(({ title }) => title)).toEqual(['New']);
  await backend.t.run((ctx) => ctx.db.patch('documents', documentId, { deletedAt: 1 }));
  expect(await documents(backend, { type: 'note' })).toHaveLength(1);
});

test('what a document may not be', async () => {
  const backend = await createBackend();
  await expect(save(backend, { title: 'x'.repeat(2_001) })).rejects.toThrow('Title too long');
  await expect(save(backend, { content: 'x'.repeat(1_000_001) })).rejects.toThrow('Content too long');
  await backend.patchTask(backend.notes, { accountId: await backend.addAccount() });
  await expect(save(backend, { taskId: backend.notes })).rejects.toThrow('Not found: Task does not exist');
  await backend.setFlags(backend.engineer, {});
  await expect(save(backend, {})).rejects.toThrow('Forbidden: Agent is not allowed to create documents');
});

test('the orchestrator lists, gets and searches tasks', async () => {
  const backend = await createBackend();
  const call = { ...backend.auth, agentId: backend.lead };
  const list = async (query: object) =>
    (await backend.t.action(service.listTasksForAgentTool, { ...call, ...query })).map(({ title }) => title);
  expect(await list({ limit: 2 })).toEqual(['Chat with the squad lead', 'Check the sign-up form']);
  expect(await list({ status: 'in_progress' })).toEqual(['Fix the login bug']);
  expect(await list({ assigneeAgentId: backend.engineer })).toEqual(['Fix the login bug']);
  expect(await list({ status: 'inbox', assigneeAgentId: backend.engineer })).toEqual([]);

  const get = (taskId: Id<'tasks'>) => backend.t.action(service.getTaskForAgentTool, { ...call, taskId });
  expect(await get(backend.bug)).toMatchObject({ title: 'Fix the login bug' });
  await backend.patchTask(backend.notes, { accountId: await backend.addAccount() });
  expect(await get(backend.notes)).toBeNull();

  const search = async (query: string) =>
    await backend.t.action(service.searchTasksForAgentTool, { ...call, query });
  await backend.patchTask(backend.bug, { status: 'blocked', blockedReason: 'The LOGIN server is down' });
  expect(await search('login')).toMatchObject([{ _id: backend.bug, relevanceScore: 4 }]);
  expect(await search(' ')).toEqual([]);
});

test('skills of all agents, and of one', async () => {
  const backend = await createBackend();
  const call = { ...backend.auth, agentId: backend.qa };
  const all = await backend.t.action(service.getAgentSkillsForTool, call);
  expect(all.map(({ agentId, skillCount }) => [agentId, skillCount])).toEqual([
    ['engineer', 1],
    ['qa', 0],
    ['squad-lead', 0],
  ]);
  const one = { ...call, queryAgentId: backend.engineer };
  expect(await backend.t.action(service.getAgentSkillsForTool, one)).toMatchObject([
    {
      agentId: 'engineer',
      skillIds: [expect.any(String)],
      lastUpdated: expect.stringMatching(/Z$/) as string,
    },
  ]);
  await backend.t.run((ctx) => ctx.db.delete('agents', backend.engineer));
  await expect(backend.t.action(service.getAgentSkillsForTool, one)).rejects.toThrow(
    'Not found: Target agent',
  );
});

test('gates of reading, and what belongs to another account', async () => {
  const backend = await createBackend();
  const call = { ...backend.auth, agentId: backend.engineer };
  const { t } = backend;
  await expect(t.action(service.listTasksForAgentTool, call)).rejects.toThrow('can list tasks');
  await expect(t.action(service.getTaskForAgentTool, { ...call, taskId: backend.bug })).rejects.toThrow(
    'can get tasks',
  );
  await expect(t.action(service.searchTasksForAgentTool, { ...call, query: 'x' })).rejects.toThrow(
    'can search tasks',
  );
  await backend.patchTask(backend.notes, { accountId: await backend.addAccount() });
  await expect(
    t.action(service.getTaskHistoryForAgentTool, { ...call, taskId: backend.notes }),
  ).rejects.toMatchObject(carrying('FORBIDDEN', 'Forbidden: Task belongs to different account'));
});

test('an upload is registered once, and only for a file that is there', async () => {
  const backend = await createBackend('convex-test');
  const storageId = await backend.t.run((ctx) => ctx.storage.store(new Blob(['text'])));
  const register = () =>
    backend.t.action(service.registerMessageUploadFromAgent, {
      ...backend.auth,
      agentId: backend.engineer,
      taskId: backend.bug,
      storageId,
    });
  const { uploadId } = await register();
  expect(await register()).toEqual({ uploadId });
  await backend.t.run(async (ctx) => {
    await ctx.storage.delete(storageId);
    await ctx.db.delete('messageUploads', uploadId);
  });
  await expect(register()).rejects.toThrow('Not found: Upload');
});

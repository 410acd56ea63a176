import { expect, test } from 'vitest';
import { api, internal } from '../_generated/api.js';
import { createBackend } from '../testing.setup.ts';

test('seeds a quiet account, once', async () => {
  const { t, auth, queue } = await createBackend();
  const again = await t.mutation(internal.demo.seed.demo, { serviceTokenHash: 'x', personTokenHash: 'y' });
  expect(again.accountId).toBe(auth.accountId);
  expect(again.tasks.map(({ title }) => title)).toEqual([
    'Fix the login bug',
    'Write the release notes',
    'Check the sign-up form',
    'Chat with the squad lead',
  ]);
  await expect(queue()).rejects.toThrow('Invalid service token');
});

test('leaves nothing to deliver, and the account’s settings name the orchestrator and its chat', async () => {
  const { t, auth, queue, lead, chat } = await createBackend();
  expect(await queue()).toEqual([]);
  const account = await t.run((ctx) => ctx.db.get('accounts', auth.accountId));
  expect(account?.settings).toEqual({ orchestratorAgentId: lead, orchestratorChatTaskId: chat });
});

test('the token format holds: no underscore in the account id', async () => {
  const { auth } = await createBackend();
  expect(auth.accountId).not.toContain('_');
});

test('a person’s task goes to the agents with the given slugs', async () => {
  const { t, person, queue, engineer } = await createBackend();
  const { taskId } = await t.action(api.demo.actions.createTask, {
    ...person,
    title: 'New',
    assignedAgentSlugs: ['engineer'],
  });
  expect(await queue()).toMatchObject([{ type: 'assignment', recipientId: engineer, taskId }]);
  const [newest] = await t.action(api.demo.actions.listTasks, { ...person, limit: 1 });
  expect(newest).toMatchObject({ _id: taskId, status: 'assigned', createdBy: 'demo-user' });
  await expect(
    t.action(api.demo.actions.createTask, { ...person, title: 'New', assignedAgentSlugs: ['nobody'] }),
  ).rejects.toThrow("no agent has the slug 'nobody'");
});

test('a person writes under a name of its own', async () => {
  const { t, person, bug } = await createBackend();
  await t.action(api.demo.actions.postMessage, { ...person, taskId: bug, content: 'hi', authorName: 'Ada' });
  expect(await t.action(api.demo.actions.listThread, { ...person, taskId: bug })).toMatchObject([
    { authorType: 'user', authorName: 'Ada', content: 'hi' },
  ]);
});

test('the service token does not open what people do, and a person’s token opens it for its own account', async () => {
  const { t, auth, person, addAccount } = await createBackend();
  const refusal = { data: { code: 'UNAUTHENTICATED', message: 'Invalid person token' } };
  const other = await addAccount();
  const tokens = [
    auth.serviceToken,
    auth.serviceToken.replace('mc_service', 'mc_person'),
    person.personToken.replace(/.$/, '0'),
    '',
  ];
  for (const personToken of tokens) {
    await expect(t.action(api.demo.actions.listTasks, { ...person, personToken })).rejects.toMatchObject(
      refusal,
    );
  }
  const theirs = { accountId: other, personToken: person.personToken.replace(person.accountId, other) };
  await expect(t.action(api.demo.actions.listTasks, theirs)).rejects.toMatchObject(refusal);
  await expect(
    t.action(api.service.actions.listAgents, { ...auth, serviceToken: person.personToken }),
  ).rejects.toThrow('Invalid service token format');
});

test('a person assigns agents to a task, each once, and follows its thread', async () => {
  const { t, person, queue, notes, engineer, qa } = await createBackend();
  const assign = (...agentSlugs: string[]) =>
    t.action(api.demo.actions.assignTask, { ...person, taskId: notes, agentSlugs });
  await assign('engineer');
  await assign('engineer', 'qa');
  expect((await queue()).map(({ type, recipientId }) => [type, recipientId])).toEqual([
    ['assignment', engineer],
    ['assignment', qa],
  ]);
  const tasks = await t.action(api.demo.actions.listTasks, person);
  expect(tasks.find(({ _id }) => _id === notes)).toMatchObject({
    status: 'assigned',
    assignedAgentIds: [engineer, qa],
  });
  await t.action(api.demo.actions.postMessage, { ...person, taskId: notes, content: 'hi' });
  expect(await t.query(api.demo.live.thread, { ...person, taskId: notes })).toMatchObject([
    { content: 'hi' },
  ]);
  await expect(assign('nobody')).rejects.toThrow("no agent has the slug 'nobody'");
});

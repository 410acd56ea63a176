import { expect, test } from 'vitest';
import type { Id } from '../_generated/dataModel.js';
import { createBackend, found, service } from '../testing.setup.ts';

type Backend = Awaited<ReturnType<typeof createBackend>>;

const write = (backend: Backend, agentId: Id<'agents'>, content: string, extra: object = {}) =>
  backend.t.action(service.createMessageFromAgent, {
    ...backend.auth,
    taskId: backend.bug,
    agentId,
    content,
    ...extra,
  });

/** The notifications that wait, as "type slug". */
async function pending(backend: Backend): Promise<string[]> {
  const slugs: Record<string, string> = {
    [backend.lead]: 'lead',
    [backend.engineer]: 'engineer',
    [backend.qa]: 'qa',
  };
  return (await backend.queue())
    .map(({ type, recipientId }) => `${type} ${slugs[recipientId] ?? '?'}`)
    .sort();
}

async function userRows(backend: Backend) {
  const rows = await backend.t.run((ctx) => ctx.db.query('notifications').take(100));
  return rows.filter(({ recipientType }) => recipientType === 'user').map(({ type, title }) => [type, title]);
}

test('a person’s message is news for the assignee and the orchestrator', async () => {
  const backend = await createBackend();
  await backend.say(backend.bug, 'Any news?');
  expect(await pending(backend)).toEqual(['thread_update engineer', 'thread_update lead']);
  expect(await userRows(backend)).toEqual([]);
});

test('a row that waits takes the newer message in; a delivered one does not', async () => {
  const backend = await createBackend();
  const toEngineer = async () =>
    (await backend.queue()).filter(({ recipientId }) => recipientId === backend.engineer);
  await backend.say(backend.bug, 'one');
  const [first] = await toEngineer();
  const { messageId } = await backend.say(backend.bug, 'two');
  const [second, ...none] = await toEngineer();
  expect(none).toEqual([]);
  expect(second).toMatchObject({ _id: found(first)._id, messageId, body: 'two' });
  expect(second?.createdAt).toBeGreaterThanOrEqual(found(first).createdAt);

  await backend.t.action(service.markNotificationDelivered, {
    ...backend.auth,
    notificationId: found(first)._id,
  });
  await backend.say(backend.bug, 'three');
  const [third] = await toEngineer();
  expect(third?._id).not.toBe(found(first)._id);
});

test('a mentioned agent is called, and no agent else hears of it', async () => {
  const backend = await createBackend();
  await backend.say(backend.bug, 'Please @"QA", and @qa again');
  expect(await pending(backend)).toEqual(['mention qa']);
  expect((await backend.queue())[0]).toMatchObject({
    title: 'Demo User mentioned you',
    body: 'You were mentioned in task "Fix the login bug"',
  });
  await backend.say(backend.bug, 'From now on QA follows the task');
  expect(await pending(backend)).toEqual([
    'mention qa',
    'thread_update engineer',
    'thread_update lead',
    'thread_update qa',
  ]);
});

test('@all calls everyone but the author', async () => {
  const backend = await createBackend();
  await write(backend, backend.engineer, '@all done here');
  expect(await pending(backend)).toEqual(['mention lead', 'mention qa']);
  expect(await userRows(backend)).toEqual([['mention', 'Engineer mentioned you']]);
});

test('an agent’s message: people and the orchestrator hear of it, its author does not', async () => {
  const backend = await createBackend();
  await write(backend, backend.engineer, 'Found it.');
  expect(await pending(backend)).toEqual(['thread_update lead']);
  expect(await userRows(backend)).toEqual([['thread_update', 'Engineer wrote in "Fix the login bug"']]);
});

test('an agent that may not mention agents still mentions people', async () => {
  const backend = await createBackend();
  await backend.setFlags(backend.engineer, {});
  await write(backend, backend.engineer, '@qa @"Demo User" look');
  expect(await pending(backend)).toEqual([]);
  expect(await userRows(backend)).toEqual([['mention', 'Engineer mentioned you']]);
});

test('a suppressed message reaches people only', async () => {
  const backend = await createBackend();
  await write(backend, backend.engineer, '@qa psst', { suppressAgentNotifications: true });
  expect(await pending(backend)).toEqual([]);
  expect(await userRows(backend)).toEqual([['thread_update', 'Engineer wrote in "Fix the login bug"']]);
});

test.each(['done', 'blocked'] as const)('no news for agents in a %s task', async (status) => {
  const backend = await createBackend();
  await backend.patchTask(backend.bug, { status });
  await backend.say(backend.bug, 'thanks');
  expect(await pending(backend)).toEqual([]);
  await backend.say(backend.bug, '@engineer one more thing');
  expect(await pending(backend)).toEqual(['mention engineer']);
});

test('in its chat the orchestrator alone hears, also when others are mentioned', async () => {
  const backend = await createBackend();
  await backend.say(backend.chat, 'Ask @engineer and @squad-lead');
  expect(await pending(backend)).toEqual(['thread_update lead']);
});

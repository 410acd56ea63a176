import { expect, test } from 'vitest';
import { createBackend, found, service } from '../testing.setup.ts';

async function keyOf(backend: Awaited<ReturnType<typeof createBackend>>) {
  const row = found((await backend.queue()).find(({ recipientId }) => recipientId === backend.engineer));
  const context = await backend.t.action(service.getNotificationForDelivery, {
    ...backend.auth,
    notificationId: row._id,
  });
  return found(context).deliverySessionKey;
}

test('a task and an agent share one key, which a rename does not change', async () => {
  const backend = await createBackend();
  await backend.say(backend.bug, '@engineer one');
  const key = `task:${backend.bug}:agent:engineer:${backend.auth.accountId}:v1`;
  expect(await keyOf(backend)).toBe(key);
  await backend.t.run((ctx) => ctx.db.patch('agents', backend.engineer, { slug: 'builder' }));
  expect(await keyOf(backend)).toBe(key);
});

test('archiving closes the task’s sessions, and the next use opens the next generation', async () => {
  const backend = await createBackend();
  await backend.say(backend.bug, '@engineer one');
  await keyOf(backend);
  await backend.t.action(service.deleteTaskFromAgent, {
    ...backend.auth,
    agentId: backend.lead,
    taskId: backend.bug,
    reason: 'a duplicate',
  });
  await expect
    .poll(() => backend.t.run((ctx) => ctx.db.query('agentRuntimeSessions').order('desc').first()))
    .toMatchObject({ sessionType: 'task', closedReason: 'task_archived' });
  expect(await keyOf(backend)).toBe(`task:${backend.bug}:agent:engineer:${backend.auth.accountId}:v2`);
});

test('each agent has one system session', async () => {
  const backend = await createBackend();
  const roster = await backend.t.action(service.listAgents, backend.auth);
  expect(roster.map(({ systemSessionKey }) => systemSessionKey)).toEqual(
    ['engineer', 'qa', 'squad-lead'].map((slug) => `system:agent:${slug}:${backend.auth.accountId}:v1`),
  );
  const sessions = await backend.t.run((ctx) => ctx.db.query('agentRuntimeSessions').take(10));
  expect(sessions).toHaveLength(3);
});

import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMissionControl } from '../../../src/mission-control/mission-control.ts';
import type { MissionControl } from '../../../src/ports.ts';
import { startContractBackend, type ContractBackend } from './spawn.ts';

let backend: ContractBackend;
let client: MissionControl & { close(): Promise<void> };
beforeEach(async () => {
  backend = await startContractBackend({ history: true });
  await backend.addAgents([{ slug: 'one' }, { slug: 'two' }]);
  client = createMissionControl({ ...backend, maxConcurrent: 4 });
});
afterEach(async () => {
  await client.close();
  await backend.close();
});

test('gives the oldest of many rows, and those behind them once they are marked', async () => {
  const taskIds = await backend.createTasks({ count: 20, assignees: ['one', 'two'], inTurn: true });
  await backend.post({ taskIds, content: '@one @two m{n}', count: 5_000 });
  expect(await backend.countUndelivered()).toBe(10_020);
  const first = await client.listUndelivered(500);
  expect(first.map(({ createdAt }) => createdAt)).toEqual(first.map(({ createdAt }) => createdAt).sort());
  await Promise.all(first.map(({ _id }) => client.markDelivered(_id)));
  const next = await client.listUndelivered(1);
  expect(first.map(({ _id }) => _id)).not.toContain(next[0]?._id);
  expect(await backend.countUndelivered()).toBe(9_520);
});

test('a row that takes a newer message in goes to the end of the queue', async () => {
  const [taskId = '', other = ''] = await backend.createTasks({ count: 2 });
  const [agent] = await client.listAgents();
  if (agent === undefined) throw new Error('no agent');
  for (const id of [taskId, other]) await backend.post({ taskIds: [id], content: '@one hello' });
  const mentions = await client.listUndelivered(10);
  await Promise.all(mentions.map(({ _id }) => client.markDelivered(_id)));

  for (const id of [taskId, other, taskId]) await backend.post({ taskIds: [id], content: 'news' });
  expect((await client.listUndelivered(10)).map((row) => row.taskId)).toEqual([other, taskId]);
});

test.each([
  ['error', 'backendRejected'],
  ['500', 'backendUnavailable'],
  ['429', 'backendUnavailable'],
] as const)('%s on command, for as many calls as asked', async (mode, kind) => {
  await backend.setFaults([{ name: 'listAgents', mode, count: 1 }]);
  await expect(client.listAgents()).rejects.toMatchObject({ kind });
  expect(await client.listAgents()).toHaveLength(2);
  expect(await client.getPendingUpgrade()).toBeNull();
});

test('a lost answer: the work is done', async () => {
  await backend.createTasks({ assignees: ['one'] });
  await backend.setFaults([{ mode: 'lost', count: 1 }]);
  const [row] = (await backend.dump()).notifications;
  await expect(client.markDelivered(row?._id ?? '')).rejects.toMatchObject({ kind: 'backendUnavailable' });
  expect(await backend.countUndelivered()).toBe(0);
});

test('no answer at all: the work is not done', async () => {
  await backend.createTasks({ assignees: ['one'] });
  await backend.setFaults([{ name: 'markNotificationDelivered', mode: 'hang' }]);
  const [row] = (await backend.dump()).notifications;
  const leaving = new AbortController();
  const marking = client.markDelivered(row?._id ?? '', leaving.signal);
  await client.listAgents();
  leaving.abort();
  await expect(marking).rejects.toMatchObject({ kind: 'aborted' });
  expect(await backend.countUndelivered()).toBe(1);
});

test('counts the calls of each function', async () => {
  await client.listAgents();
  await expect(client.markDelivered('nothing')).rejects.toMatchObject({ kind: 'backendRejected' });
  expect(await backend.calls()).toEqual({
    listAgents: { calls: 1, failed: 0 },
    markNotificationDelivered: { calls: 1, failed: 1 },
  });
});

test('a command that does not fit is refused in words', async () => {
  await expect(backend.createTasks({ assignees: ['nobody'] })).rejects.toThrow('There is no agent nobody.');
});

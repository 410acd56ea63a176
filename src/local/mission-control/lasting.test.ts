/** What the data survive, and what a client sees of it: real processes, stock clients. */
import { ConvexClient, ConvexHttpClient } from 'convex/browser';
import { makeFunctionReference } from 'convex/server';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { temporaryDirectory } from '../../../test/kits/runtime.ts';
import { until } from '../../../test/kits/until.ts';
import { needsPrlimit, setDiskFull } from '../../../test/faults/full-disk.ts';
import { killWhileWriting } from '../../../test/kits/kill-backend.ts';
import { createDemoClient } from '../client.ts';
import { startBackend, type Backend } from './spawn.ts';

async function start(dataDir: string): Promise<Backend> {
  const backend = await startBackend({ dataDir });
  onTestFinished(() => backend.close());
  return backend;
}

const personOf = (backend: Backend) => createDemoClient({ ...backend, convexUrl: backend.url });

test('after a stop and a start everything is there, and the token is the same', async () => {
  const dataDir = temporaryDirectory();
  const first = await start(dataDir);
  const taskId = first.taskIds[0] ?? '';
  await personOf(first).postMessage(taskId, '@engineer hello');
  const thread = await personOf(first).listThread(taskId);
  await first.close();
  const again = await start(dataDir);
  expect(again).toMatchObject({
    accountId: first.accountId,
    serviceToken: first.serviceToken,
    tasks: first.tasks,
  });
  expect(await personOf(again).listThread(taskId)).toEqual(thread);
});

test('kill -9 at any moment loses no write that was acknowledged', async () => {
  const { kills, acknowledged, lost, twice } = await killWhileWriting({
    kills: 20,
    dataDir: temporaryDirectory(),
  });
  expect({ kills, lost, twice }).toEqual({ kills: 20, lost: [], twice: [] });
  expect(acknowledged).toBeGreaterThan(0);
});

test('a full disk refuses writes in words and keeps reading, and nothing is half done', async (context) => {
  needsPrlimit(context);
  const backend = await start(temporaryDirectory());
  const person = personOf(backend);
  const taskId = backend.taskIds[0] ?? '';
  await person.postMessage(taskId, 'before');
  setDiskFull(backend.pid, true);
  await expect(person.postMessage(taskId, 'x'.repeat(90_000))).rejects.toThrow(
    /Mission Control cannot write: the disk .*Nothing of this call was kept; reading goes on\./,
  );
  expect((await person.listThread(taskId)).map(({ content }) => content)).toEqual(['before']);
  setDiskFull(backend.pid, false);
  await person.postMessage(taskId, 'after');
  expect((await person.listThread(taskId)).map(({ content }) => content)).toEqual(['before', 'after']);
});

test('a second process on the same data says so, and so does a file that is no database', async () => {
  const dataDir = temporaryDirectory();
  await start(dataDir);
  await expect(startBackend({ dataDir })).rejects.toThrow(
    /did not start\. backend: The database .*data\.sqlite cannot be used: another process has it open; stop that one first\.$/,
  );
  const other = temporaryDirectory();
  writeFileSync(join(other, 'data.sqlite'), 'garbage '.repeat(500));
  await expect(startBackend({ dataDir: other })).rejects.toThrow('it is not a database; move it away');
});

/** A stock ConvexClient, of which every subscription, mutation and action goes over one socket. */
function connect(backend: Backend): ConvexClient {
  const client = new ConvexClient(backend.url, { skipConvexDeploymentUrlCheck: true, logger: false });
  onTestFinished(() => client.close());
  return client;
}

test('a subscriber hears of a change over the socket, and its own calls are answered there', async () => {
  const backend = await start(temporaryDirectory());
  const { accountId, serviceToken } = backend;
  const client = connect(backend);
  const heard: unknown[] = [];
  const wakeUp = makeFunctionReference<'query'>('service/extensions:wakeUp');
  client.onUpdate(wakeUp, { accountId, serviceToken }, (value) => heard.push(value));
  await until('It has the first value', () => heard.length === 1);
  const listAgents = makeFunctionReference<'action'>('service/actions:listAgents');
  expect(await client.action(listAgents, { accountId, serviceToken })).toHaveLength(3);
  await personOf(backend).postMessage(backend.taskIds[0] ?? '', '@engineer hello');
  await until('It has heard', () => heard.length === 2);
  await expect(client.mutation(makeFunctionReference<'mutation'>('service/nope:nope'), {})).rejects.toThrow(
    "Could not find public function for 'service/nope:nope'",
  );
});

test('what is no message closes its socket with a reason; 1,000 idle sockets disturb nobody', async () => {
  const backend = await start(temporaryDirectory());
  const url = `${backend.url.replace('http', 'ws')}/api/1.48.0/sync`;
  const sockets = Array.from({ length: 1_000 }, () => new WebSocket(url));
  onTestFinished(() => sockets.forEach((socket) => socket.terminate()));
  await until('They are open', () => sockets.every(({ readyState }) => readyState === WebSocket.OPEN));
  const [broken] = sockets;
  const closed = new Promise<[number, string]>((resolve) =>
    broken?.once('close', (code, reason) => resolve([code, reason.toString()])),
  );
  broken?.send('{"type":"Hello"');
  expect(await closed).toEqual([1002, 'This is no message of the sync protocol.']);
  expect(await personOf(backend).listAgents()).toHaveLength(3);
});

test('a body of 64 MB is refused in words, and the next call is answered', async () => {
  const backend = await start(temporaryDirectory());
  const response = await fetch(`${backend.url}/api/action`, {
    method: 'POST',
    body: 'x'.repeat(64 * 1024 * 1024),
    headers: { 'Content-Type': 'application/json' },
  });
  expect([response.status, await response.json()]).toEqual([
    413,
    { code: 'PayloadTooLarge', message: 'The body is over 16777216 bytes.' },
  ]);
  expect(await personOf(backend).listAgents()).toHaveLength(3);
});

test('internal functions, backups and exports need the admin key', async () => {
  const dataDir = temporaryDirectory();
  const backend = await start(dataDir);
  const get = (path: string, key?: string) =>
    fetch(`${backend.url}${path}`, key === undefined ? {} : { headers: { Authorization: `Convex ${key}` } });
  for (const path of ['/api/local/backup', '/api/local/export']) {
    expect([(await get(path)).status, (await get(path, 'local|no')).status]).toEqual([401, 401]);
  }
  const stale = makeFunctionReference<'mutation'>('accounts:markStaleRuntimesOffline');
  const client = new ConvexHttpClient(backend.url, { logger: false });
  await expect(client.mutation(stale, {})).rejects.toThrow('Could not find public function');
  client.setAuth('a.b.c');
  await expect(client.mutation(stale, {})).rejects.toThrow('has no sign-in');
});

test('a query at a timestamp is answered while nothing is written, and refused afterwards', async () => {
  const backend = await start(temporaryDirectory());
  const { accountId, serviceToken } = backend;
  const post = (path: string, body: object) =>
    fetch(`${backend.url}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
    });
  const { ts } = (await (await post('/api/query_ts', {})).json()) as { ts: string };
  const call = { path: 'service/extensions:wakeUp', args: [{ accountId, serviceToken }], ts };
  expect(await (await post('/api/query_at_ts', call)).json()).toMatchObject({ status: 'success' });
  await personOf(backend).postMessage(backend.taskIds[0] ?? '', 'hello');
  expect(await (await post('/api/query_at_ts', call)).json()).toMatchObject({ code: 'TimestampGone' });
});

import { ConvexHttpClient } from 'convex/browser';
import { makeFunctionReference } from 'convex/server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { api } from '../../../convex/_generated/api.js';
import type { Id } from '../../../convex/_generated/dataModel.js';
import { createDemoClient, type DemoClient } from '../client.ts';
import { startBackend } from './spawn.ts';
import type { Backend } from './spawn.ts';

const SECRET = '0123456789abcdef'.repeat(4);
const service = api.service.actions;

let backend: Backend;
let client: ConvexHttpClient;
let person: DemoClient;
let auth: { accountId: Id<'accounts'>; serviceToken: string };

beforeAll(async () => {
  backend = await startBackend({ secret: SECRET, extraTasks: 12 });
  client = new ConvexHttpClient(backend.url, { logger: false });
  person = createDemoClient({ ...backend, convexUrl: backend.url });
  auth = { accountId: asAccountId(backend.accountId), serviceToken: backend.serviceToken };
});

afterAll(() => backend.close());

const isAccountId = (id: string): id is Id<'accounts'> => /^[0-9a-z]{32}$/.test(id);

function asAccountId(id: string): Id<'accounts'> {
  if (!isAccountId(id)) throw new Error(`not an account id: ${id}`);
  return id;
}

const post = (path: string, body: string, type = 'application/json') =>
  fetch(`${backend.url}${path}`, { method: 'POST', body, headers: { 'Content-Type': type } });

const call = (path: string, args: unknown) =>
  post('/api/action', JSON.stringify({ path, format: 'convex_encoded_json', args: [args] }));

test('says where it is and what it holds', () => {
  expect(backend.serviceToken).toBe(`mc_service_${backend.accountId}_${SECRET}`);
  expect(backend.tasks.map(({ title }) => title).slice(0, 5)).toEqual([
    'Fix the login bug',
    'Write the release notes',
    'Check the sign-up form',
    'Chat with the squad lead',
    'Extra task 1',
  ]);
  expect(backend.taskIds).toHaveLength(16);
});

test('answers a stock client, many calls at once', async () => {
  const rows = await client.action(service.listUndeliveredNotifications, auth);
  expect(rows).toHaveLength(12);
  const contexts = await Promise.all(
    rows.map(({ _id }) =>
      client.action(service.getNotificationForDelivery, { ...auth, notificationId: _id }),
    ),
  );
  expect(contexts.map((context) => context?.task?.title)).toEqual(rows.map((_, n) => `Extra task ${n + 1}`));
  expect(new Set(contexts.map((context) => context?.deliverySessionKey)).size).toBe(12);
});

test('one row of concurrent posts for one notification', async () => {
  const [row] = await client.action(service.listUndeliveredNotifications, { ...auth, limit: 1 });
  const [agent] = await client.action(service.listAgents, auth);
  if (!row?.taskId || !agent) throw new Error('the seed is gone');
  const message = { ...auth, taskId: row.taskId, agentId: agent._id, sourceNotificationId: row._id };
  const posted = await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      client.action(service.createMessageFromAgent, { ...message, content: `reply ${n}` }),
    ),
  );
  expect(new Set(posted.map(({ messageId }) => messageId)).size).toBe(1);
  expect(await person.listThread(row.taskId)).toHaveLength(1);
});

test('a function’s error is a ConvexError with the contract’s text', async () => {
  const refused = client.action(service.listAgents, { ...auth, serviceToken: 'mc_service_x' });
  await expect(refused).rejects.toThrow('Invalid service token structure');
  await expect(refused).rejects.toMatchObject({
    name: 'ConvexError',
    data: { code: 'UNAUTHENTICATED', message: 'Invalid service token structure' },
  });
});

test('wrong arguments are a plain function error, as a development deployment words it', async () => {
  const response = await call('service/actions:listAgents', { ...auth, extra: 1 });
  expect(response.status).toBe(200);
  const reply: unknown = await response.json();
  expect(reply).toEqual({
    status: 'error',
    errorMessage: expect.stringMatching(
      /^\[CONVEX A\(service\/actions:listAgents\)\] \[Request ID: \w+\] Server Error\nUncaught Error: ArgumentValidationError: .*`extra`/,
    ) as unknown,
    logLines: [],
  });
});

test.each([
  ['an internal function', 'demo/people:listTasks'],
  ['a helper', 'model/limits:clampLimit'],
  ['a name that is not there', 'service/actions:nope'],
  ['an inherited name', 'service/actions:constructor'],
  ['a module that is not there', 'nope:nope'],
  ['a path without a name', 'service/actions'],
])('does not call %s', async (_, path) => {
  await expect(client.query(makeFunctionReference<'query'>(path), {})).rejects.toThrow(
    `Could not find public function for '${path}'`,
  );
});

test('does not call an action as a query', async () => {
  const path = 'service/actions:listAgents';
  await expect(client.query(makeFunctionReference<'query'>(path), auth)).rejects.toThrow(
    `'${path}' was called as query`,
  );
});

test('carries what JSON cannot', async () => {
  const response = await call('service/actions:listUndeliveredNotifications', {
    ...auth,
    limit: { $float: 'AAAAAAAA8H8=' },
  });
  expect(await response.json()).toMatchObject({ status: 'success' });
});

test.each([
  ['no JSON', '{', 'application/json', 400],
  ['no path', '{"args":[{}]}', 'application/json', 400],
  ['a bad path', '{"path":"../x y","args":[{}]}', 'application/json', 400],
  ['no arguments', '{"path":"a:b"}', 'application/json', 400],
  ['two arguments', '{"path":"a:b","args":[{},{}]}', 'application/json', 400],
  ['arguments that are a list', '{"path":"a:b","args":[[]]}', 'application/json', 400],
  ['badly encoded arguments', '{"path":"a:b","args":[{"x":{"$integer":5}}]}', 'application/json', 400],
  ['another type', '{"path":"a:b","args":[{}]}', 'text/plain', 415],
])('refuses %s', async (_, body, type, status) => {
  const response = await post('/api/action', body, type);
  expect(response.status).toBe(status);
  expect(await response.json()).toHaveProperty('code');
});

test('refuses a body over 16 MiB, and goes on', async () => {
  const response = await post('/api/action', 'x'.repeat(16 * 1024 * 1024 + 1));
  expect(response.status).toBe(413);
  expect(await client.action(service.listAgents, auth)).toHaveLength(3);
});

test.each([
  ['GET', '/version', 200],
  ['GET', '/healthz', 200],
  ['POST', '/version', 405],
  ['GET', '/api/action', 405],
  ['GET', '/', 404],
  ['POST', '/__faults', 404],
])('%s %s: %i', async (method, path, status) => {
  expect((await fetch(`${backend.url}${path}`, { method })).status).toBe(status);
});

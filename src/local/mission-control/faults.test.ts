import { ConvexHttpClient } from 'convex/browser';
import { makeFunctionReference } from 'convex/server';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startBackend } from './spawn.ts';
import type { Backend } from './spawn.ts';

const LIST = 'service/actions:listAgents';
const RESTART = 'demo/actions:requestRestart';

let backend: Backend;
let client: ConvexHttpClient;

beforeAll(async () => {
  backend = await startBackend({ faults: true });
  client = new ConvexHttpClient(backend.url, { logger: false });
});

afterAll(() => backend.close());

afterEach(() => command({ mode: 'ok' }));

async function command(fault: object): Promise<number> {
  const response = await fetch(`${backend.url}/__faults`, {
    method: 'POST',
    body: JSON.stringify(fault),
    headers: { 'Content-Type': 'application/json' },
  });
  return response.status;
}

const call = (path: string, through = client): Promise<unknown> =>
  through.action(makeFunctionReference<'action'>(path), {
    accountId: backend.accountId,
    ...(path === RESTART ? { personToken: backend.personToken } : { serviceToken: backend.serviceToken }),
  });

test('fails one function as often as told', async () => {
  await command({ path: LIST, mode: 'error', count: 2 });
  await expect(call(LIST)).rejects.toThrow('Fault on command');
  await expect(call(RESTART)).resolves.toBeNull();
  await expect(call(LIST)).rejects.toThrow('Fault on command');
  await expect(call(LIST)).resolves.toHaveLength(3);
});

test.each(['500', '429'])('answers %s for every function until told otherwise', async (mode) => {
  await command({ mode });
  await expect(call(LIST)).rejects.toThrow('Fault on command');
  await expect(call(RESTART)).rejects.toThrow('Fault on command');
  const response = await fetch(`${backend.url}/api/action`, {
    method: 'POST',
    body: JSON.stringify({ path: LIST, args: [{}] }),
    headers: { 'Content-Type': 'application/json' },
  });
  expect(response.status).toBe(Number(mode));
  await command({ mode: 'ok' });
  await expect(call(LIST)).resolves.toHaveLength(3);
});

test.each([
  ['hangs', { mode: 'hang' }],
  ['answers late', { mode: 'error', delayMs: 600_000 }],
])('%s one call and answers the others', async (_, fault) => {
  await command({ path: LIST, count: 1, ...fault });
  const controller = new AbortController();
  const impatient = new ConvexHttpClient(backend.url, {
    logger: false,
    fetch: (url, init) => fetch(url, { ...init, signal: controller.signal }),
  });
  const waiting = expect(call(LIST, impatient)).rejects.toThrow('aborted');
  await expect(call(RESTART)).resolves.toBeNull();
  controller.abort();
  await waiting;
});

test('does the work and loses the answer', async () => {
  await call('service/actions:checkAndClearRestartRequested');
  await command({ path: RESTART, mode: 'lost', count: 1 });
  await expect(call(RESTART)).rejects.toThrow('fetch failed');
  await expect(call('service/actions:checkAndClearRestartRequested')).resolves.toEqual({
    restartRequested: true,
  });
});

test.each([{}, { mode: 'nope' }, { mode: 'ok', count: 0 }, { mode: 'ok', delay: 5 }])(
  'refuses the rule %j',
  async (fault) => {
    expect(await command(fault)).toBe(400);
  },
);

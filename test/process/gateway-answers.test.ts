/** Gateways that answer in another way than the runtime hopes for. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../src/local/free-port.ts';
import { startContractBackend } from '../kits/contract-backend/spawn.ts';
import { serveHttp } from '../kits/gateway-server.ts';
import { startRuntime } from '../kits/runtime.ts';
import { until } from '../kits/until.ts';

async function backendWith(tasks: number) {
  const backend = await startContractBackend();
  onTestFinished(() => backend.close());
  await backend.addAgents([{ slug: 'engineer' }]);
  await backend.createTasks({ count: tasks, assignees: ['engineer'] });
  return backend;
}

async function gatewayOf(listener: RequestListener) {
  const asked: string[] = [];
  const server = await serveHttp((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    request.resume();
    listener(request, response);
  });
  onTestFinished(() => server.close());
  return { url: server.url, token: 'tok', asked };
}

/** Answers a probe as a healthy gateway does. @returns false for any other request */
const answerProbe: (...args: Parameters<RequestListener>) => boolean = ({ url }, response) => {
  const pages: Record<string, object> = {
    '/readyz': { ready: true, failing: [] },
    '/startupz': { ok: true, version: '2026.9.6' },
    '/v1/models': { data: [{ id: 'openclaw' }, { id: 'openclaw/engineer' }] },
  };
  const page = pages[url ?? ''];
  if (page === undefined) return false;
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page));
  return true;
};

const html = '<!doctype html><title>Welcome</title>';

test.each<[string, RequestListener]>([
  [
    'has a page for everything',
    (_request, response) => void response.setHeader('content-type', 'text/html').end(html),
  ],
  ['finds nothing', (_request, response) => void response.writeHead(404).end('{"error":"not found"}')],
  ['is fine with everything', (_request, response) => void response.end('{"ok":true}')],
  [
    'has pages and takes nothing',
    ({ method }, response) =>
      void response.writeHead(method === 'POST' ? 405 : 200, { 'content-type': 'text/html' }).end(html),
  ],
])('a web server that %s is refused before any message, and stays so', async (_name, listener) => {
  const gateway = await gatewayOf(listener);
  const backend = await backendWith(3);
  const runtime = await startRuntime({ backend, gateway });
  const health = await runtime.waitForHealth(
    'that it is no gateway',
    ({ gateway: { state } }) => state === 'refused',
  );
  expect(health.status).not.toBe('healthy');
  expect(health.gateway.reason).toContain('does not answer like an OpenClaw gateway');
  const looks = (): number => gateway.asked.filter((line) => line === 'GET /readyz').length;
  await until('It has been asked a second time', () => Promise.resolve(looks() >= 2));
  await runtime.waitForHealth('that it is still no gateway', ({ gateway: { state } }) => state === 'refused');
  expect(gateway.asked.filter((line) => line.startsWith('POST'))).toEqual([]);
  const changes = runtime.log.filter(({ event }) => event === 'gateway.available');
  expect(changes).toEqual([]);
});

test('a body that stays open after its reply holds up neither a slot nor the reply', async () => {
  const completed = JSON.stringify({
    type: 'response.completed',
    response: {
      object: 'response',
      status: 'completed',
      output: [{ type: 'message', content: 'All fine.' }],
    },
  });
  const gateway = await gatewayOf((request, response) => {
    if (answerProbe(request, response)) return;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`data: {"type":"response.created"}\n\ndata: ${completed}\n\n`);
  });
  const backend = await backendWith(6);
  const env = { DELIVERY_MAX_CONCURRENT_SESSIONS: '2' };
  await startRuntime({ backend, gateway, env });
  await until('All six are delivered', async () => (await backend.countUndelivered()) === 0);
  expect(gateway.asked.filter((line) => line === 'POST /v1/responses')).toHaveLength(6);
});

test('a wait that the gateway asks for is kept, although it answers probes', async () => {
  let runs = 0;
  const gateway = await gatewayOf((request, response) => {
    if (answerProbe(request, response)) return;
    runs += 1;
    response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '3600' });
    response.end('{"error":{"message":"too many requests","type":"rate_limit_error"}}');
  });
  const backend = await backendWith(1);
  const runtime = await startRuntime({ backend, gateway });
  const { gateway: report } = await runtime.waitForHealth(
    'the wait',
    ({ gateway: { state } }) => state === 'waiting',
  );
  expect(report.reason).toContain('It asks for a wait of 3600 s.');
  const left = Date.parse(report.nextTryAt ?? '') - Date.now();
  expect(left).toBeGreaterThan(3_500_000);
  expect(left).toBeLessThanOrEqual(3_600_000);
  expect(runs).toBe(1);
});

test('a gateway that dies during its runs is reported as one that does not answer', async () => {
  const port = await freePort();
  const script = `
    const pages = { '/readyz': { ready: true }, '/startupz': { version: '1' }, '/v1/models': { data: [{ id: 'openclaw/engineer' }] } };
    let open = 0;
    require('node:http').createServer((request, response) => {
      if (pages[request.url]) return response.setHeader('content-type', 'application/json').end(JSON.stringify(pages[request.url]));
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"type":"response.created"}\\n\\n');
      open += 1;
      if (open === 4) setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50);
    }).listen(${port}, '127.0.0.1');`;
  const child = spawn(process.execPath, ['--eval', script], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const gone = once(child, 'exit');
  const backend = await backendWith(4);
  const runtime = await startRuntime({ backend, gateway: { url: `http://127.0.0.1:${port}`, token: 't' } });
  await gone;
  const health = await runtime.waitForHealth(
    'that it is gone',
    ({ gateway: { state } }) => state !== 'connected',
  );
  expect(health.gateway.reason).toContain('does not answer');
  expect(runtime.log.map(({ message }) => message).join('\n')).not.toContain('model provider');
});

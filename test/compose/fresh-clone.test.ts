import { statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { figure, newStack, PATIENCE_MS, secondsSince, type Stack } from './stack.ts';
import { until } from '../kits/until.ts';

const TOKEN_FILE = '/run/secrets/local/SERVICE_TOKEN';

let stack: Stack;

beforeAll(async () => {
  stack = await newStack({ COMPOSE_PROFILES: 'local' });
});

afterAll(() => stack.down());

test('the profile local alone: a healthy runtime on the local backend, which says that the gateway is missing', async () => {
  const start = performance.now();
  await stack.compose('build');
  figure('build of the images of the profile local', secondsSince(start));

  const up = performance.now();
  await stack.compose('up', '--build', '--detach', '--wait');
  figure('up until the runtime is healthy, images built', secondsSince(up));
  const { runtime, backend, prepare } = await stack.containers();
  expect(runtime?.State).toMatchObject({ Status: 'running', Health: { Status: 'healthy' } });
  expect(backend?.State).toMatchObject({ Status: 'running', Health: { Status: 'healthy' } });
  expect(prepare?.State).toMatchObject({ Status: 'exited', ExitCode: 0 });

  // There is no gateway, and the runtime says so; Mission Control is there.
  const health = await stack.waitForHealth('the agents', ({ agentSync }) => agentSync.agents === 3);
  expect(health).toMatchObject({ status: 'degraded', agentSync: { consecutiveFailures: 0 } });
  expect(health.problems.map(({ source }) => source)).toEqual(['gateway']);

  for (const [service, image] of Object.entries({
    runtime: 'openclaw-mission-control-runtime:local',
    backend: 'openclaw-mission-control-backend:local',
  })) {
    const bytes = await stack.docker('image', 'inspect', '--format', '{{.Size}}', image);
    const base = await stack.docker('image', 'inspect', '--format', '{{.Size}}', 'node:24-bookworm-slim');
    const own = (Number(bytes) - Number(base)) / 1e6;
    figure(
      `image of ${service}`,
      `${Math.round(Number(bytes) / 1e6)} MB, ${own.toFixed(1)} MB on top of its base`,
    );
  }
  const memory = await stack.docker('stats', '--no-stream', '--format', '{{.MemUsage}}', runtime?.Id ?? '');
  figure('memory of the runtime', memory);

  // The name that older instructions use is the same stack: nothing is recreated.
  await stack.compose('--file', 'docker-compose.runtime.yml', 'up', '--detach', '--wait', '--no-build');
  expect((await stack.container('runtime')).Id).toBe(runtime?.Id);

  // Down and up again: the same tokens, and what was written is the containers' user's from the start.
  const tokens = () =>
    stack.compose('exec', '-T', 'runtime', 'cat', '/run/secrets/OPENCLAW_GATEWAY_TOKEN', TOKEN_FILE);
  const before = await tokens();
  expect(before).toMatch(/^[0-9a-f]{64}mc_service_/);
  await stack.compose('down');
  await stack.compose('up', '--detach', '--wait');
  expect(await tokens()).toBe(before);
  for (const path of ['state', 'roster', 'gateway', 'workspaces', 'secrets'])
    expect([path, statSync(join(stack.root, '.runtime', path)).uid]).toEqual([path, 1000]);

  // Why does nobody answer? It is asked in the container, as the runbook says.
  const person = await stack.person();
  const task = { title: 'Why', assignedAgentSlugs: ['engineer'] };
  const { taskId } = v.parse(
    v.object({ taskId: v.string() }),
    await person.call('demo/actions:createTask', task),
  );
  await person.postMessage(taskId, '@engineer is anybody there?');
  const why = (question: string): Promise<string> =>
    stack.compose('exec', '-T', 'runtime', 'why', question).catch((error: unknown) => String(error));
  const story = await until('The story is told', async () => {
    const text = await why('is anybody there');
    return text.includes('gateway') && text;
  });
  expect(story).toMatch(/^who +engineer · Why$/m);
  expect(await why('nobody wrote this')).toContain('Nothing is known of "nobody wrote this"');
});

test('docker-compose.dev.yml: the picture of the machines, on 127.0.0.1 and under no other name', async () => {
  const files = ['--file', 'docker-compose.yml', '--file', 'docker-compose.dev.yml'];
  await stack.compose(...files, 'up', '--detach', '--wait');
  const { NetworkSettings } = await stack.container('runtime');
  const port = stack.ports.inspector;
  expect(NetworkSettings.Ports['9230/tcp']).toEqual([{ HostIp: '127.0.0.1', HostPort: String(port) }]);
  const page = await fetch(`http://127.0.0.1:${port}/`);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(await page.text()).toContain('<title>');
  expect(await statusFor(port, 'machines.example')).toBe(403);
});

/** fetch sends no Host but the address's own. */
const statusFor = (port: number, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .once('error', reject)
      .end();
  });

test('without .env the runtime itself says what is missing, and ends with 78', async () => {
  const bare = await newStack(null);
  onTestFinished(() => bare.down());
  const since = Date.now() / 1_000;
  await bare.compose('up', '--detach');
  await until('It ended', async () => (await bare.exitCodes('runtime', since)).includes('78'), PATIENCE_MS);
  const log = await bare.compose('logs', '--no-log-prefix', 'runtime');
  for (const name of ['ACCOUNT_ID', 'CONVEX_URL', 'SERVICE_TOKEN']) expect(log).toContain(`${name}: not set`);
});

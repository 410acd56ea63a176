/** The inspector of a real process is off by default, holds nothing up, and shows no secret. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { COMMANDS } from '../../src/inspector/wire.ts';
import { ask, view } from '../kits/inspector-server.ts';
import { spawnRuntime, startRuntime, type RuntimeOptions } from '../kits/runtime.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

const ON = { INSPECTOR: 'on', INSPECTOR_PORT: '0' };

/** A runtime with its inspector on a free port. */
async function startInspected(options: RuntimeOptions) {
  const runtime = await startRuntime({ ...options, env: { ...ON, ...options.env } });
  const line = await runtime.waitForLog(
    'where the inspector is',
    ({ event }) => event === 'inspector.listening',
  );
  return { ...runtime, port: Number(new URL(String(line.url)).port) };
}

describe('when it is there', () => {
  test('it is off unless asked for', async () => {
    const runtime = await startRuntime({ backend: await missionControl() });
    await runtime.waitForHealth('that it runs', ({ status }) => status === 'degraded');
    expect(runtime.stdout()).not.toContain('inspector.');
  });

  test('production refuses it with one sentence, unless it is allowed by name', async () => {
    const refused = spawnRuntime({ backend: await missionControl(), env: { ...ON, NODE_ENV: 'production' } });
    expect(await refused.exited).toEqual({ code: 78, signal: null });
    expect(refused.stderr()).toBe(
      'One setting is wrong:\n  INSPECTOR: on, and NODE_ENV is production; set off, or INSPECTOR_IN_PRODUCTION=allow if that is meant\n',
    );
    const env = { NODE_ENV: 'production', INSPECTOR_IN_PRODUCTION: 'allow' };
    const allowed = await startInspected({ backend: await missionControl(), env });
    expect((await ask(allowed.port)).status).toBe(200);
  });

  test('a port that is taken is a warning that names the setting, and the runtime works', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const backend = await missionControl();
    const env = { ...ON, INSPECTOR_PORT: String(port) };
    const runtime = await startRuntime({ backend, gateway: await echoGateway(), env });
    const warning = await runtime.waitForLog('a warning', ({ event }) => event === 'inspector.unavailable');
    expect(warning).toMatchObject({
      level: 'warn',
      message: `The runtime goes on without its inspector. 127.0.0.1:${port} is taken: set INSPECTOR_PORT to a free port, or stop what listens there.`,
    });
    await runtime.waitForHealth('that all is well', ({ status }) => status === 'healthy');
    runtime.kill('SIGTERM');
    expect(await runtime.exited).toEqual({ code: 0, signal: null });
  });

  test('its last entry says why the process left', async () => {
    const runtime = await startInspected({ backend: await missionControl(), gateway: await echoGateway() });
    await runtime.waitForHealth('that all is well', ({ status }) => status === 'healthy');
    const viewer = await view(runtime.port);
    await until('The viewer is greeted', () => viewer.text().includes('event: hello'));
    runtime.kill('SIGTERM');
    expect(await runtime.exited).toEqual({ code: 0, signal: null });
    expect(viewer.text()).toContain('"edges":["supervisor signal.terminate 0"');
    expect(viewer.text()).toMatch(/"kind":"left","exitCode":0,"reason":"stopped by SIGTERM"\}\]\s*$/);
  });

  test('a viewer that does not read does not hold the process up', async () => {
    const runtime = await startInspected({ backend: await missionControl(), gateway: await echoGateway() });
    const viewer = await view(runtime.port);
    viewer.pause();
    runtime.kill('SIGTERM');
    expect(await runtime.exited).toEqual({ code: 0, signal: null });
  });
});

test('the commands of the page reach the machines', async () => {
  const backend = await missionControl();
  const runtime = await startInspected({ backend, gateway: await echoGateway() });
  await runtime.waitForHealth('that all is well', ({ status }) => status === 'healthy');
  const viewer = await view(runtime.port);
  await until('The viewer is greeted', () => viewer.text().includes('event: hello'));
  const headers = { origin: `http://127.0.0.1:${runtime.port}`, 'x-inspector-key': viewer.key() };
  for (const name of Object.keys(COMMANDS)) {
    expect((await ask(runtime.port, { path: `/commands/${name}`, method: 'POST', headers })).status).toBe(
      202,
    );
    await until(`${name} was heard`, () => viewer.text().includes(`"event":"${name}","by":null`));
  }
  // The last of them asks the process to leave for an upgrade.
  expect(await runtime.exited).toEqual({ code: 75, signal: null });
  expect(
    runtime.log.filter(({ event }) => event === 'inspector.command').map(({ command }) => command),
  ).toEqual(Object.keys(COMMANDS));
});

test('nothing that it sends contains a token, message, prompt or reply', async () => {
  const backend = await missionControl();
  const gateway = await echoGateway({ token: 'PLANTED-gateway-token-4711' });
  const runtime = await startInspected({ backend, gateway, env: { DELIVERY_BACKOFF_MAX_MS: '100ms' } });
  await runtime.waitForHealth('that all is well', ({ status }) => status === 'healthy');
  const viewer = await view(runtime.port);
  const [task = '', other = ''] = backend.taskIds;
  await backend.postMessage(task, '@engineer PLANTED-message ECHO_TEXT:PLANTED-reply');
  await until('The reply is in the thread', async () =>
    (await backend.listThread(task)).some(({ content }) => content === 'PLANTED-reply'),
  );
  // The error of this run quotes the message.
  await backend.postMessage(
    other,
    '@qa PLANTED-prompt mc_service_planted_0123456789 Bearer PLANTED-bearer ECHO_500',
  );
  await until('A run failed', () => viewer.text().includes('"event":"run.failed"'));
  const planted = [
    'PLANTED',
    'planted',
    backend.serviceToken,
    backend.serviceToken.split('_').at(-1) ?? '',
    gateway.token,
  ];
  // Another viewer, who comes late.
  const late = await view(runtime.port);
  await until('The late one is greeted', () => late.text().includes('event: hello'));
  const files = ['/', '/charts/delivery.svg', '/charts/notification.svg', '/charts/gateway.svg'];
  const served = await Promise.all(
    files.map(async (path) => (await fetch(`http://127.0.0.1:${runtime.port}${path}`)).text()),
  );
  expect(served.every((text) => text.length > 1_000)).toBe(true);
  for (const secret of planted) expect(served.join('\n').includes(secret), 'in what it serves').toBe(false);
  runtime.kill('SIGTERM');
  await runtime.exited;
  const texts = { stream: viewer.text(), late: late.text() };
  expect(texts.stream).toContain('"kind":"step"');
  for (const [name, text] of Object.entries(texts)) {
    for (const secret of planted)
      expect(text.includes(secret), `${secret.slice(0, 8)} in the ${name}`).toBe(false);
    for (const key of ['context', 'input', 'output', 'error', 'snapshot', 'content', 'message', 'params']) {
      expect(text, name).not.toContain(`"${key}":`);
    }
  }
});

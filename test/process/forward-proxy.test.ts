/** A runtime whose Convex and whose gateway have names that only a company's proxy knows. */
import { expect, test } from 'vitest';
import { forwardProxy, type ForwardProxy } from '../kits/forward-proxy.ts';
import { spawnRuntime, startRuntime } from '../kits/runtime.ts';
import { echoGateway, missionControl, portOf } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

async function behindProxy() {
  const [backend, gateway] = await Promise.all([missionControl({ extensions: true }), echoGateway()]);
  const proxy = await forwardProxy({
    'convex.corp:3210': portOf(backend),
    'gateway.corp:18789': portOf(gateway),
  });
  return { backend, gateway, proxy };
}

const asked = ({ asked: all }: ForwardProxy, what: string): string[] =>
  all.filter((line) => line.includes(what));

const ALSO: Record<string, string>[] = [{}, { NODE_USE_ENV_PROXY: '1' }];

test.each(ALSO)('delivers through the proxy, with %j', async (also) => {
  const { backend, gateway, proxy } = await behindProxy();
  const runtime = await startRuntime({
    backend: { ...backend, url: 'http://convex.corp:3210' },
    gateway: { ...gateway, url: 'http://gateway.corp:18789' },
    env: { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, NO_PROXY: '127.0.0.1', ...also },
  });
  const task = backend.taskIds[0] ?? '';
  await backend.postMessage(task, '@engineer through the proxy?');
  await until('The reply is in the thread', async () =>
    (await backend.listThread(task)).some(
      ({ content }) => content.includes('engineer through the proxy?') && content.startsWith('echo'),
    ),
  );
  await runtime.waitForHealth('a wake-up', ({ delivery }) => delivery.wakeUp === 'connected');
  expect(asked(proxy, 'POST http://convex.corp:3210/api/action')).not.toEqual([]);
  expect(asked(proxy, 'POST http://gateway.corp:18789/v1/responses')).not.toEqual([]);
  expect(asked(proxy, 'CONNECT convex.corp:3210')).not.toEqual([]);

  const started = runtime.log.find(({ event }) => event === 'runtime.started');
  const shown = `http://***@${new URL(proxy.url).host}`;
  expect(started).toMatchObject({ proxies: { convex: shown, gateway: shown } });
  const { body } = await runtime.get('/health');
  for (const secret of [proxy.password, encodeURIComponent(proxy.password)]) {
    expect(runtime.stdout() + runtime.stderr() + body).not.toContain(secret);
  }
});

test('reaches this machine itself without the proxy', async () => {
  const [backend, gateway, proxy] = await Promise.all([missionControl(), echoGateway(), forwardProxy({})]);
  const runtime = await startRuntime({ backend, gateway, env: { http_proxy: proxy.url } });
  await runtime.waitForHealth('that all is well', ({ status }) => status === 'healthy');
  expect(proxy.asked).toEqual([]);
});

test('refuses a proxy of the wrong kind in one sentence that does not repeat its address', async () => {
  const refused = spawnRuntime({
    backend: {
      url: 'http://convex.corp:3210',
      accountId: 'acc1',
      serviceToken: `mc_service_acc1_${'0'.repeat(64)}`,
    },
    env: { HTTP_PROXY: 'socks5://agent:s3cret@proxy.corp:1080' },
  });
  expect((await refused.exited).code).toBe(78);
  expect(refused.stderr()).toContain(
    'HTTP_PROXY: not the address of an HTTP proxy; set HTTP_PROXY to http://host:port',
  );
  expect(refused.stderr()).not.toContain('s3cret');
});

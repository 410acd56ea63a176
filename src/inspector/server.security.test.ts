/** Whoever can reach the port is not yet who may use it. */
import { describe, expect, test } from 'vitest';
import { until } from '../../test/kits/until.ts';
import { MOST_VIEWERS } from './hub.ts';
import { ask, startInspectorServer, view } from '../../test/kits/inspector-server.ts';
import { COMMANDS } from './wire.ts';

const PATHS = [
  '/',
  '/events',
  '/charts/gateway.svg',
  '/commands/delivery.poll',
  '/why?q=engineer',
  '/nothing',
];

describe('Host', () => {
  test.each([
    'evil.example',
    'evil.example:9230',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'a@127.0.0.1',
    '[',
  ])('a name that is not of this machine is refused everywhere: %s', async (host) => {
    const { port } = await startInspectorServer();
    for (const path of PATHS) {
      expect((await ask(port, { path, headers: { host } })).status, path).toBe(403);
    }
  });

  test.each(['127.0.0.1:1', 'localhost', 'LOCALHOST:9230', '[::1]:9230', '192.168.1.5:80'])(
    '%s is answered',
    async (host) => {
      const { port } = await startInspectorServer();
      expect((await ask(port, { headers: { host } })).status).toBe(200);
    },
  );
});

describe('Origin', () => {
  test.each(['http://evil.example', 'null', 'http://127.0.0.1:1', 'https://127.0.0.1'])(
    'another page is refused everywhere: %s',
    async (origin) => {
      const { port } = await startInspectorServer();
      for (const path of PATHS) {
        expect((await ask(port, { path, headers: { origin } })).status, path).toBe(403);
        expect((await ask(port, { path, method: 'POST', headers: { origin } })).status, path).toBe(403);
      }
    },
  );

  test('what a browser sends for another site is refused, but for a visit to the page', async () => {
    const { port } = await startInspectorServer();
    const other = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' };
    for (const path of PATHS) expect((await ask(port, { path, headers: other })).status, path).toBe(403);
    const visit = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    expect((await ask(port, { headers: visit })).status).toBe(200);
    expect((await ask(port, { path: '/events', headers: visit })).status).toBe(403);
    expect((await ask(port, { headers: { ...visit, 'sec-fetch-dest': 'iframe' } })).status).toBe(403);
  });

  test('no answer ever allows another origin', async () => {
    const { port, origin } = await startInspectorServer();
    for (const path of PATHS.filter((one) => one !== '/events')) {
      const { headers } = await ask(port, { path, method: 'OPTIONS', headers: { origin } });
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });
});

test('a story is told to the page alone, and without secrets', async () => {
  const { port } = await startInspectorServer();
  const told = await ask(port, { path: '/why?q=a%20message' });
  expect([told.status, told.body]).toEqual([
    200,
    '{"kind":"none","problem":"Nothing is known of a message, ***."}',
  ]);
  expect((await ask(port, { path: '/why?q=x', method: 'POST' })).status).toBe(403);
});

describe('commands', () => {
  test('each of the list is sent, with the key of an open page', async () => {
    const { port, origin, commands } = await startInspectorServer();
    const viewer = await view(port);
    await until('The key is there', () => viewer.key() !== '');
    for (const name of Object.keys(COMMANDS)) {
      const headers = { origin, 'x-inspector-key': viewer.key() };
      expect((await ask(port, { path: `/commands/${name}`, method: 'POST', headers })).status).toBe(202);
    }
    expect(commands).toEqual(Object.keys(COMMANDS));
  });

  test.each([
    'signal.terminate',
    'process.crashed',
    'health.failed',
    'child.restart',
    'gateway.lost',
    'xstate.stop',
    'constructor',
    '__proto__',
    '',
    'delivery.poll/x',
    'delivery%2Epoll',
  ])('outside the list is refused: %s', async (name) => {
    const { port, origin, commands } = await startInspectorServer();
    const viewer = await view(port);
    await until('The key is there', () => viewer.key() !== '');
    const headers = { origin, 'x-inspector-key': viewer.key() };
    const answer = await ask(port, {
      path: `/commands/${name}`,
      method: 'POST',
      headers,
      body: '{"type":"x"}',
    });
    expect(answer.status).toBe(403);
    expect(answer.body).toContain('delivery.poll, gateway.probe, upgrade.check, signal.upgrade can.');
    expect(commands).toEqual([]);
  });

  test('without a key, with a wrong one, without an Origin, or by GET, nothing is sent', async () => {
    const { port, origin, commands } = await startInspectorServer();
    const viewer = await view(port);
    await until('The key is there', () => viewer.key() !== '');
    const key = { 'x-inspector-key': viewer.key() };
    const path = '/commands/delivery.poll';
    expect((await ask(port, { path, method: 'POST', headers: { origin } })).status).toBe(403);
    expect(
      (await ask(port, { path, method: 'POST', headers: { origin, 'x-inspector-key': 'x' } })).status,
    ).toBe(403);
    expect((await ask(port, { path, method: 'POST', headers: key })).status).toBe(403);
    expect((await ask(port, { path, headers: { origin, ...key } })).status).toBe(405);
    expect(commands).toEqual([]);
  });

  test('a key is good only while its page is open', async () => {
    const { server, port, origin, commands } = await startInspectorServer();
    const viewer = await view(port);
    await until('The key is there', () => viewer.key() !== '');
    viewer.close();
    await until('The viewer is gone', () => server.hub.count() === 0);
    const headers = { origin, 'x-inspector-key': viewer.key() };
    expect((await ask(port, { path: '/commands/delivery.poll', method: 'POST', headers })).status).toBe(403);
    expect(commands).toEqual([]);
  });
});

describe('the page', () => {
  test('has a new nonce each time, and a policy that allows nothing else', async () => {
    const { port } = await startInspectorServer();
    const [first, second] = [await ask(port), await ask(port)];
    const nonce = /nonce="([^"]+)"/.exec(first.body)?.[1] ?? '';
    expect(nonce.length).toBeGreaterThanOrEqual(22);
    expect(second.body).not.toContain(nonce);
    const policy = String(first.headers['content-security-policy']).split('; ');
    expect(policy).toEqual([
      "default-src 'none'",
      `script-src 'nonce-${nonce}'`,
      `style-src 'nonce-${nonce}'`,
      "connect-src 'self'",
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ]);
  });

  test('every answer forbids framing, sniffing, referrers, other origins and caches', async () => {
    const { port } = await startInspectorServer();
    for (const path of PATHS.filter((one) => one !== '/events')) {
      expect((await ask(port, { path })).headers, path).toMatchObject({
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'") as string,
      });
    }
  });

  test('serves its charts by name and no other file', async () => {
    const { port } = await startInspectorServer();
    expect(await ask(port, { path: '/charts/gateway.svg' })).toMatchObject({ status: 200, body: '<svg/>' });
    for (const path of [
      '/charts/other.svg',
      '/charts/../package.json',
      '/charts/%2e%2e/x.svg',
      '/charts/__proto__.svg',
      '//',
      '/index.html',
    ]) {
      expect((await ask(port, { path })).status, path).toBe(404);
    }
    expect((await ask(port, { method: 'DELETE' })).status).toBe(405);
  });
});

test('viewers are few: one more is told so', async () => {
  const { port } = await startInspectorServer();
  await Promise.all(Array.from({ length: MOST_VIEWERS }, () => view(port)));
  const answer = await ask(port, { path: '/events' });
  expect(answer).toMatchObject({
    status: 503,
    body: expect.stringContaining('close one of their pages') as string,
  });
});

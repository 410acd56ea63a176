import { afterEach, describe, expect, test } from 'vitest';
import { exchange, reportWith, startTestServer } from '../../test/kits/health-server.ts';
import type { HealthSource } from './app.ts';
import { versionAnswer } from './earlier-names.ts';
import type { Started } from '../../test/kits/health-server.ts';

let server: Started | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(source: Partial<HealthSource> = {}): Promise<Started> {
  server = await startTestServer(source);
  return server;
}

const get = async (path: string, source: Partial<HealthSource> = {}): Promise<Response> =>
  fetch((await start(source)).url + path);

describe('/health', () => {
  test.each([
    ['healthy', 200],
    ['degraded', 200],
    ['starting', 200],
    ['draining', 503],
    ['failed', 503],
  ] as const)('answers %s with %i', async (status, code) => {
    const report = reportWith({ status, reason: `It is ${status}.` });
    const response = await get('/health', { health: () => report });
    expect(response.status).toBe(code);
    expect(await response.json()).toMatchObject(report);
  });

  test('carries the names of the earlier runtime', async () => {
    const response = await get('/health');
    expect(await response.json()).toMatchObject({
      versions: { runtimeService: '1.0.0', openclaw: '2026.1.1' },
      infrastructure: { ipAddress: 'unknown' },
      gateway: { running: true },
      delivery: { running: false },
    });
    expect(versionAnswer(reportWith({}))).toEqual({
      runtime: '1.0.0',
      openclaw: '2026.1.1',
      node: process.version,
      runtimeServiceVersion: '1.0.0',
      openclawVersion: '2026.1.1',
      dropletId: 'unknown',
      region: 'unknown',
    });
  });

  test('is never cached and never sniffed', async () => {
    const { headers } = await get('/health');
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('takes a query', async () => {
    expect((await get('/health?verbose=1')).status).toBe(200);
  });
});

describe('the other routes', () => {
  test('/version gives the versions', async () => {
    const response = await get('/version', { version: () => ({ runtime: '1.2.3' }) });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ runtime: '1.2.3' });
  });

  test('/livez follows live()', async () => {
    let live = true;
    const { url } = await start({ live: () => live });
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    live = false;
    expect((await fetch(`${url}/livez`)).status).toBe(503);
  });

  test('/readyz is 200 when ready', async () => {
    const response = await get('/readyz');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'ready' });
  });

  test.each(['starting', 'draining', 'failed'] as const)(
    '/readyz is 503 while %s, and says why',
    async (status) => {
      const health = () => reportWith({ status, reason: 'Because.' });
      const response = await get('/readyz', { ready: () => false, health });
      expect(response.status).toBe(503);
      expect(await response.json()).toEqual({ status, reason: 'Because.' });
    },
  );

  test('/metrics is the Prometheus text', async () => {
    const response = await get('/metrics', { metrics: () => Promise.resolve('queued 3\n') });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toBe('queued 3\n');
  });

  test('/metrics is OpenMetrics when that is asked for', async () => {
    const { url } = await start({ metrics: () => Promise.resolve('# TYPE a_total counter\na_total 3\n') });
    const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';
    const response = await fetch(`${url}/metrics`, { headers: { accept } });
    expect(response.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1\.0\.0;/);
    expect(await response.text()).toBe('# TYPE a counter\na_total 3\n# EOF\n');
  });

  test('HEAD gives the same status and length without a body', async () => {
    const { url } = await start({ health: () => reportWith({ status: 'draining' }) });
    for (const path of ['/health', '/version', '/livez', '/readyz', '/metrics']) {
      const full = await fetch(url + path);
      const head = await fetch(url + path, { method: 'HEAD' });
      expect(head.status).toBe(full.status);
      expect(head.headers.get('content-length')).toBe(String((await full.arrayBuffer()).byteLength));
      expect(await head.text()).toBe('');
    }
  });
});

describe('what is not offered', () => {
  test.each(['/', '/nope', '//', '/health/', '/Health', '/__proto__'])('GET %s is 404 JSON', async (path) => {
    const { port } = await start();
    const answer = await exchange(port, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).toContain('x-content-type-options: nosniff');
    expect(answer).toContain('{"error":{"message":"There is nothing here. Ask for one of /health, ');
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s /health is 405', async (method) => {
    const { url } = await start();
    const body = method === 'OPTIONS' ? null : '{"a":';
    const response = await fetch(`${url}/health`, { method, body, headers: { 'content-type': 'x' } });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    expect(await response.json()).toEqual({ error: { message: '/health answers GET and HEAD only.' } });
  });

  test.each(['TRACE', 'PROPFIND', 'QUERY'])('%s /health is 405', async (method) => {
    const { port } = await start();
    const answer = await exchange(port, `${method} /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 405 /);
  });

  test('POST to an unknown path is 404', async () => {
    const { url } = await start();
    expect((await fetch(`${url}/nope`, { method: 'POST', body: '{}' })).status).toBe(404);
  });

  test('an address that cannot be decoded is 400', async () => {
    const { port } = await start();
    const answer = await exchange(port, 'GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('{"error":{"message":"The address cannot be read."}}');
  });
});

describe('secrets and failures', () => {
  test('every body is redacted as a whole', async () => {
    const { url } = await start({
      health: () => reportWith({ reason: 'the secret got in' }),
      version: () => ({ runtime: 'secret' }),
      metrics: () => Promise.resolve('up{key="secret"} 1\n'),
      ready: () => false,
    });
    for (const path of ['/health', '/version', '/metrics', '/readyz']) {
      const text = await (await fetch(url + path)).text();
      expect(text).toContain('[redacted]');
      expect(text).not.toContain('secret');
    }
  });

  test.each(['/health', '/version', '/livez', '/readyz', '/metrics'])(
    'a throw behind %s is 500 without a stack, and logged',
    async (path) => {
      const fail = () => {
        throw new Error('no snapshot of secret');
      };
      const source = { health: fail, version: fail, metrics: fail, live: fail, ready: fail };
      const { url, log } = await start(source);
      const response = await fetch(`${url}${path}?token=secret`);
      expect(response.status).toBe(500);
      expect(await response.json()).toEqual({
        error: { message: 'The answer could not be made. The log says why.' },
      });
      expect(log).toEqual([
        {
          level: 'error',
          event: 'http.failed',
          message: `GET ${path} could not be answered: no snapshot of secret`,
        },
      ]);
    },
  );

  test('metrics that reject are 500', async () => {
    const response = await get('/metrics', { metrics: () => Promise.reject(new Error('no')) });
    expect(response.status).toBe(500);
  });
});

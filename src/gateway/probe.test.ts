import type { RequestListener } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { FaultKind } from '../../machines/shared/fault.ts';
import { createGateway } from './client.ts';
import { faultFrom, serveHttp, serveTcp } from '../../test/kits/gateway-server.ts';
import type { TestServer } from '../../test/kits/gateway-server.ts';

interface Page {
  status?: number;
  type?: string;
  headers?: Record<string, string>;
  body?: unknown;
}
/** What a gateway answers by method and path; any other request gets the control page, as OpenClaw does. */
type Pages = Record<string, Page>;

const SPA: Page = { type: 'text/html', body: '<!doctype html>' };
const READY: Page = { body: { ready: true, failing: [] } };
const STARTED: Page = { body: { ok: true, status: 'started', version: '2026.9.6' } };
const MODELS: Page = {
  body: {
    data: ['openclaw', 'openclaw/default', 'openclaw/squad-lead', 'openclaw/qa'].map((id) => ({ id })),
  },
};
const NOT_FOUND: Page = { status: 404, type: 'text/plain', body: 'Not Found' };
const gatewayError = (type: string, status: number): Page => ({
  status,
  body: { error: { message: type, type } },
});

let server: TestServer;
let asked: string[] = [];
afterEach(async () => {
  asked = [];
  await server.close();
});

const listenerFor =
  (pages: Pages): RequestListener =>
  (request, response) => {
    const key = `${request.method ?? ''} ${request.url ?? ''}`;
    asked.push(`${key} ${request.headers.authorization ?? ''}`);
    request.resume();
    const { status = 200, type = 'application/json', headers = {}, body = '' } = pages[key] ?? SPA;
    response.writeHead(status, { 'content-type': type, ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const gatewayWith = async (pages: Pages): Promise<ReturnType<typeof createGateway>> => {
  server = await serveHttp(listenerFor(pages));
  return createGateway({ url: server.url, token: 'tok', requestTimeoutMs: 5000, probeTimeoutMs: 300 });
};

describe('a gateway that is up', () => {
  it('is asked with our token whether it is ready', async () => {
    const gateway = await gatewayWith({ 'GET /readyz': READY, 'GET /startupz': STARTED });
    expect(await gateway.probe(false)).toEqual({ version: null, agents: null });
    expect(asked).toEqual(['GET /readyz Bearer tok']);
  });

  it('tells its version and its agents when asked deep', async () => {
    const gateway = await gatewayWith({
      'GET /readyz': READY,
      'GET /startupz': STARTED,
      'GET /v1/models': MODELS,
    });
    expect(await gateway.probe(true)).toEqual({ version: '2026.9.6', agents: ['squad-lead', 'qa'] });
  });

  it('says that it is ready, and takes a request that no gateway takes', async () => {
    const gateway = await gatewayWith({
      'GET /readyz': READY,
      'GET /v1/models': READY,
      'POST /v1/responses': READY,
    });
    expect(await faultFrom(gateway.probe(true))).toMatchObject({ kind: 'gatewayMisconfigured' });
  });

  it('is one that refuses nothing, and has a response for an empty request', async () => {
    const gateway = await gatewayWith({
      'GET /readyz': READY,
      'GET /v1/models': NOT_FOUND,
      'POST /v1/responses': { status: 200, body: JSON.stringify({ object: 'response', output: [] }) },
    });
    expect(await gateway.probe(true)).toMatchObject({ agents: null });
  });

  it('may be known by its agents alone', async () => {
    const gateway = await gatewayWith({ 'GET /v1/models': MODELS });
    expect(await gateway.probe(false)).toEqual({ version: null, agents: ['squad-lead', 'qa'] });
  });

  it('may serve runs without a list of its agents', async () => {
    const gateway = await gatewayWith({
      'GET /readyz': READY,
      'GET /v1/models': NOT_FOUND,
      'POST /v1/responses': gatewayError('invalid_request_error', 400),
    });
    expect(await gateway.probe(true)).toEqual({ version: null, agents: null });
  });
});

describe('what is no OpenClaw gateway', () => {
  const okay: Page = { body: { ok: true } };
  const notFound: Page = { status: 404, body: { error: 'not found' } };

  it.each<[string, Pages]>([
    ['has a page for every path', {}],
    ['knows none of the paths', { 'GET /readyz': NOT_FOUND, 'GET /v1/models': NOT_FOUND }],
    ['says so in JSON', { 'GET /readyz': notFound, 'GET /v1/models': notFound }],
    ['is fine with everything', { 'GET /readyz': okay, 'GET /v1/models': okay }],
    ['has a readiness of its own', { 'GET /readyz': { body: { status: 'UP' } } }],
    [
      'guards its paths in its own way',
      { 'GET /v1/models': { status: 401, type: 'text/html', body: '<p>' } },
    ],
    ['lists models of its own', { 'GET /v1/models': { body: { data: [{ id: 'gpt-5' }] } } }],
  ])('%s', async (_name, pages) => {
    const gateway = await gatewayWith(pages);
    for (const deep of [true, false]) {
      const fault = await faultFrom(gateway.probe(deep));
      expect(fault.message).toMatch(/does not answer like an OpenClaw gateway \(HTTP .*OPENCLAW_GATEWAY_URL/);
      expect(fault.kind).toBe('gatewayMisconfigured');
    }
    expect(asked.filter((line) => line.startsWith('POST'))).toEqual([]);
  });
});

describe('a gateway that takes no runs', () => {
  const deep: Pages = { 'GET /readyz': READY, 'GET /startupz': STARTED };

  it.each<[string, Pages, FaultKind, RegExp]>([
    [
      'starts',
      { 'GET /readyz': { status: 503, body: { ready: false, failing: ['startup-sidecars', 'x'] } } },
      'gatewayUnavailable',
      /is not ready: startup-sidecars, x\.$/,
    ],
    [
      'is not ready and does not say why',
      { 'GET /readyz': { status: 503, body: { ready: false } } },
      'gatewayUnavailable',
      /not ready/,
    ],
    [
      'fails',
      { 'GET /readyz': { status: 500, body: 'oops' } },
      'gatewayUnavailable',
      /\/readyz with HTTP 500/,
    ],
    ['is away behind a proxy', { 'GET /readyz': { status: 502, ...SPA } }, 'gatewayUnavailable', /HTTP 502/],
    [
      'is moved',
      { 'GET /readyz': { status: 301, headers: { location: 'https://x.example/' } } },
      'gatewayMisconfigured',
      /OPENCLAW_GATEWAY_URL/,
    ],
    [
      'does not like our token',
      { ...deep, 'GET /v1/models': gatewayError('unauthorized', 401) },
      'gatewayRefused',
      /OPENCLAW_GATEWAY_TOKEN/,
    ],
    [
      'locked us out',
      { ...deep, 'GET /v1/models': gatewayError('rate_limited', 429) },
      'gatewayUnavailable',
      /\/v1\/models with HTTP 429/,
    ],
    [
      'began to drain',
      { ...deep, 'GET /v1/models': gatewayError('service_unavailable', 503) },
      'gatewayUnavailable',
      /HTTP 503/,
    ],
    [
      'has the endpoint off',
      { ...deep, 'GET /v1/models': NOT_FOUND, 'POST /v1/responses': NOT_FOUND },
      'gatewayMisconfigured',
      /endpoints\.responses\.enabled/,
    ],
  ])('because it %s', async (_name, pages, kind, says) => {
    const gateway = await gatewayWith(pages);
    const fault = await faultFrom(gateway.probe(true));
    expect(fault.message).toMatch(says);
    expect(fault.kind).toBe(kind);
  });

  it('keeps the wait that it asks for', async () => {
    const gateway = await gatewayWith({
      ...deep,
      'GET /v1/models': { ...gatewayError('rate_limited', 429), headers: { 'retry-after': '300' } },
    });
    expect((await faultFrom(gateway.probe(true))).retryAfterMs).toBe(300_000);
  });

  it('is away when nobody listens', async () => {
    const gateway = await gatewayWith({});
    await server.close();
    expect((await faultFrom(gateway.probe(false))).kind).toBe('gatewayUnavailable');
  });
});

describe('a probe', () => {
  const silentGateway = async (probeTimeoutMs: number): Promise<ReturnType<typeof createGateway>> => {
    server = await serveTcp((socket) => socket.resume());
    return createGateway({ url: server.url, token: 'tok', requestTimeoutMs: 5000, probeTimeoutMs });
  };

  it('waits for a while only', async () => {
    const fault = await faultFrom((await silentGateway(100)).probe(false));
    expect(fault.kind).toBe('gatewayUnavailable');
    expect(fault.message).toContain('within 100 ms');
  });

  it('can be given up', async () => {
    const giveUp = new AbortController();
    const probe = faultFrom((await silentGateway(60_000)).probe(false, giveUp.signal));
    giveUp.abort();
    expect((await probe).kind).toBe('aborted');
  });

  it('reads no more than a mebibyte of an answer', async () => {
    server = await serveHttp((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const pour = (): void => {
        while (!response.destroyed && response.write(' '.repeat(2 ** 18)));
        if (!response.destroyed) response.once('drain', pour);
      };
      pour();
    });
    const gateway = createGateway({
      url: server.url,
      token: 'tok',
      requestTimeoutMs: 5000,
      probeTimeoutMs: 20_000,
    });
    expect((await faultFrom(gateway.probe(true))).kind).toBe('gatewayMisconfigured');
  });
});

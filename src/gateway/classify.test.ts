import { afterEach, describe, expect, it } from 'vitest';
import type { FaultKind } from '../../machines/shared/fault.ts';
import { retryAfterMs } from '../http.ts';
import { createGateway } from './client.ts';
import { aRun, faultFrom, serveHttp } from '../../test/kits/gateway-server.ts';
import type { TestServer } from '../../test/kits/gateway-server.ts';

const TOKEN = 'secret-token-42';

const gatewayError = (message: string, type = 'invalid_request_error'): string =>
  JSON.stringify({ error: { message, type } });
const runError = (code: string, message: string): string =>
  JSON.stringify({ object: 'response', status: 'failed', error: { code, message } });
const HTML = '<!doctype html><title>nginx</title>';

interface Row {
  what: string;
  status: number;
  type?: string;
  headers?: Record<string, string>;
  body: string;
  kind: FaultKind;
  says: RegExp;
}

const rows: Row[] = [
  {
    what: 'a wrong token',
    status: 401,
    body: gatewayError('Unauthorized', 'unauthorized'),
    kind: 'gatewayRefused',
    says: /OPENCLAW_GATEWAY_TOKEN/,
  },
  {
    what: 'a missing scope',
    status: 403,
    body: gatewayError('missing scope', 'forbidden'),
    kind: 'gatewayRefused',
    says: /HTTP 403, "missing scope"/,
  },
  {
    what: "a proxy's own login",
    status: 401,
    type: 'text/html',
    body: HTML,
    kind: 'gatewayRefused',
    says: /HTTP 401/,
  },
  {
    what: "the model provider's key",
    status: 401,
    body: runError('authentication_error', 'bad key'),
    kind: 'runFailed',
    says: /authentication_error: bad key/,
  },
  {
    what: "the model provider's 400",
    status: 400,
    body: runError('invalid_request_error', '400 mock'),
    kind: 'runFailed',
    says: /400 mock/,
  },
  {
    what: "the model provider's 500",
    status: 502,
    body: runError('api_error', 'upstream provider error'),
    kind: 'runFailed',
    says: /upstream/,
  },
  {
    what: 'a failed run of a busy provider',
    status: 503,
    body: runError('api_error', 'overloaded'),
    kind: 'runFailed',
    says: /overloaded/,
  },
  {
    what: 'a run that is limited by its provider',
    status: 429,
    body: runError('rate_limit', 'slow down'),
    kind: 'runFailed',
    says: /slow down/,
  },
  {
    what: 'a gateway that drains',
    status: 503,
    body: gatewayError('Gateway is temporarily unavailable', 'service_unavailable'),
    kind: 'gatewayUnavailable',
    says: /takes no runs now/,
  },
  {
    what: 'a proxy without its gateway',
    status: 502,
    type: 'text/html',
    body: HTML,
    kind: 'runCut',
    says: /^A proxy before the gateway ended the run after 0\.\d s \(HTTP 502, not from OpenClaw\)/,
  },
  {
    what: 'a proxy whose gateway is silent',
    status: 504,
    body: gatewayError('upstream timeout'),
    kind: 'runCut',
    says: /HTTP 504, "upstream timeout", not from OpenClaw/,
  },
  {
    what: "Cloudflare's patience",
    status: 524,
    type: 'text/html',
    body: HTML,
    kind: 'runCut',
    says: /HTTP 524/,
  },
  {
    what: 'a proxy that knows no gateway',
    status: 503,
    type: 'text/html',
    body: HTML,
    kind: 'gatewayUnavailable',
    says: /HTTP 503/,
  },
  {
    what: "a limit of the provider's that names its end",
    status: 429,
    headers: { 'retry-after': '30' },
    body: runError('rate_limit_exceeded', 'slow down'),
    kind: 'runLimited',
    says: /refused for now: rate_limit_exceeded: slow down/,
  },
  {
    what: 'too many bad tokens',
    status: 429,
    body: gatewayError('Too many attempts', 'rate_limited'),
    kind: 'gatewayUnavailable',
    says: /HTTP 429/,
  },
  {
    what: 'a request that took too long to arrive',
    status: 408,
    body: '',
    kind: 'gatewayUnavailable',
    says: /HTTP 408/,
  },
  {
    what: 'an endpoint that is off',
    status: 404,
    type: 'text/plain',
    body: 'Not Found',
    kind: 'gatewayMisconfigured',
    says: /endpoints\.responses\.enabled.*OPENCLAW_GATEWAY_URL/,
  },
  {
    what: 'an endpoint of another kind',
    status: 405,
    type: 'text/plain',
    body: 'Method Not Allowed',
    kind: 'gatewayMisconfigured',
    says: /OPENCLAW_GATEWAY_URL/,
  },
  {
    what: 'a page instead of an answer',
    status: 200,
    type: 'text/html',
    body: HTML,
    kind: 'runCut',
    says: /text\/html.*OPENCLAW_GATEWAY_URL/,
  },
  {
    what: 'an error page',
    status: 400,
    type: 'text/html',
    body: HTML,
    kind: 'runCut',
    says: /OPENCLAW_GATEWAY_URL/,
  },
  {
    what: 'a page of a proxy that refuses this request',
    status: 403,
    type: 'text/html',
    body: HTML,
    kind: 'runCut',
    says: /HTTP 403/,
  },
  {
    what: 'JSON that is not a response',
    status: 200,
    body: '{"ok":true}',
    kind: 'runCut',
    says: /not a response/,
  },
  {
    what: 'an answer without content',
    status: 204,
    body: '',
    kind: 'runCut',
    says: /HTTP 204/,
  },
  {
    what: 'a redirect',
    status: 302,
    headers: { location: 'https://elsewhere.example/' },
    body: '',
    kind: 'gatewayMisconfigured',
    says: /HTTP 302.*OPENCLAW_GATEWAY_URL/,
  },
  {
    what: 'an unknown agent',
    status: 400,
    body: gatewayError("Unknown agent 'engineer'."),
    kind: 'agentUnknown',
    says: /Unknown agent 'engineer'/,
  },
  {
    what: 'a request that is wrong',
    status: 400,
    body: gatewayError(': Unrecognized key: "foo"'),
    kind: 'requestRejected',
    says: /Unrecognized key/,
  },
  {
    what: 'a request that is wrong, in other words',
    status: 400,
    body: '{"detail":"no"}',
    kind: 'requestRejected',
    says: /HTTP 400/,
  },
  {
    what: 'a failure with a plain reason',
    status: 500,
    body: '{"error":"oops"}',
    kind: 'runFailed',
    says: /HTTP 500, "oops"/,
  },
  {
    what: 'a failed run with a reason of another shape',
    status: 500,
    body: '{"object":"response","status":"failed","output":null,"error":{"code":500,"message":"odd"}}',
    kind: 'runFailed',
    says: /failed: odd$/,
  },
  {
    what: 'a request that cannot be processed',
    status: 422,
    body: gatewayError('no'),
    kind: 'requestRejected',
    says: /HTTP 422/,
  },
  {
    what: 'a body that is too large',
    status: 413,
    body: gatewayError('Payload too large'),
    kind: 'requestRejected',
    says: /Payload too large/,
  },
  {
    what: 'a body that is too large for a proxy',
    status: 413,
    type: 'text/html',
    body: HTML,
    kind: 'requestRejected',
    says: /HTTP 413/,
  },
  {
    what: 'a failure of its own',
    status: 500,
    body: gatewayError('internal error', 'api_error'),
    kind: 'runFailed',
    says: /HTTP 500, "internal error"/,
  },
  {
    what: 'a failed run in a plain answer',
    status: 200,
    body: runError('api_error', 'internal error'),
    kind: 'runFailed',
    says: /internal error/,
  },
  {
    what: 'a run that did not end',
    status: 200,
    body: '{"object":"response","status":"in_progress","output":[]}',
    kind: 'runFailed',
    says: /"in_progress"/,
  },
  { what: 'half an answer', status: 200, body: '{"object":"resp', kind: 'runFailed', says: /not valid JSON/ },
];

describe('an answer that is not a reply', () => {
  let server: TestServer;
  afterEach(() => server.close());

  it.each(rows)(
    '$status, $what: $kind',
    async ({ status, type = 'application/json', headers, body, kind, says }) => {
      server = await serveHttp((request, response) => {
        request.resume();
        response.writeHead(status, { 'content-type': type, ...headers }).end(body);
      });
      const gateway = createGateway({ url: server.url, token: TOKEN, requestTimeoutMs: 5000 });
      const fault = await faultFrom(gateway.respond(aRun()));
      expect(fault.message).toMatch(says);
      expect(fault.kind).toBe(kind);
    },
  );

  it('keeps the wait that the gateway asks for', async () => {
    server = await serveHttp((request, response) => {
      request.resume();
      response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '7' });
      response.end(gatewayError('restarting', 'service_unavailable'));
    });
    const gateway = createGateway({ url: server.url, token: TOKEN, requestTimeoutMs: 5000 });
    expect((await faultFrom(gateway.respond(aRun()))).retryAfterMs).toBe(7000);
  });

  it("keeps the wait that the model's provider asks for", async () => {
    server = await serveHttp((request, response) => {
      request.resume();
      response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '30' });
      response.end(runError('rate_limit_exceeded', 'slow down'));
    });
    const gateway = createGateway({ url: server.url, token: TOKEN, requestTimeoutMs: 5000 });
    expect((await faultFrom(gateway.respond(aRun()))).retryAfterMs).toBe(30_000);
  });

  it('never repeats the token, and cuts what the gateway says', async () => {
    server = await serveHttp((request, response) => {
      request.resume();
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(gatewayError(`you sent ${String(request.headers.authorization)}\n${'x'.repeat(1000)}`));
    });
    const gateway = createGateway({ url: server.url, token: TOKEN, requestTimeoutMs: 5000 });
    const { message } = await faultFrom(gateway.respond(aRun()));
    expect(message).toContain('you sent Bearer *** xxx');
    expect(message).not.toContain(TOKEN);
    expect(message.length).toBeLessThan(400);
  });
});

describe('retryAfterMs', () => {
  const now = Date.parse('2026-11-23T10:00:00Z');

  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Mon, 23 Nov 2026 10:00:05 GMT', 5000],
    ['Mon, 23 Nov 2026 09:00:00 GMT', 0],
    ['', 0],
    ['soon', 0],
    ['-5', 0],
    ['1.5', 0],
    ['3600', 3_600_000],
    ['86400', 3_600_000],
    ['Tue, 24 Nov 2026 10:00:00 GMT', 3_600_000],
    ['99999999999', 0],
    ['9'.repeat(400), 0],
    ['Mon, 23 Nov 2099 10:00:00 GMT', 0],
  ])('reads %j as %d ms', (header, ms) => {
    expect(retryAfterMs(header, now)).toBe(ms);
  });
});

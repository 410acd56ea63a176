import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { FaultKind } from '../../machines/shared/fault.ts';
import { Fault } from '../../machines/shared/fault.ts';
import { createMissionControl } from './mission-control.ts';
import type { MissionControlOptions } from './mission-control.ts';
import { failure, startWire, success } from '../../test/kits/wire-server.ts';
import type { WireAnswer, WireCall } from '../../test/kits/wire-server.ts';

const SECRET = 'c0ffee'.repeat(8);
const TOKEN = `mc_service_acc1_${SECRET}`;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

function connect(url: string, options: Partial<MissionControlOptions> = {}) {
  const client = createMissionControl({
    url,
    accountId: 'acc1',
    serviceToken: TOKEN,
    maxConcurrent: 10,
    ...options,
  });
  closing.push(() => client.close());
  return client;
}

async function serve(answer: (call: WireCall) => WireAnswer | Promise<WireAnswer>) {
  const wire = await startWire(answer);
  closing.push(() => wire.close());
  return wire;
}

/** Sends headers and the first bytes of a body, then closes the connection (end) or says no more (write). */
async function serveHalf(verb: 'end' | 'write'): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket[verb](
        'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"status":',
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => once(server.close(), 'close'));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The test server has no port.');
  return `http://127.0.0.1:${address.port}`;
}

async function faultFrom(call: Promise<unknown>): Promise<Fault> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Fault)) throw new Error(`Expected a Fault, got ${String(error)}`);
  return error;
}

describe('the wire', () => {
  test('is what a stock ConvexHttpClient sends, with account and token in the arguments', async () => {
    const wire = await serve(() => success({ messageId: 'm7' }));
    const mc = connect(`${wire.url}/`);
    const message = { taskId: 't1', agentId: 'a1', content: 'Done' };
    expect(await mc.postMessage({ ...message, suppressAgentNotifications: undefined })).toBe('m7');
    const [call] = wire.calls;
    expect(call).toMatchObject({ method: 'POST', path: '/api/action' });
    expect(call?.headers['content-type']).toBe('application/json');
    expect(call?.headers['convex-client']).toMatch(/^npm-\d/);
    expect(call?.headers.authorization).toBeUndefined();
    expect(call?.body).toStrictEqual({
      path: 'service/actions:createMessageFromAgent',
      format: 'convex_encoded_json',
      args: [{ ...message, accountId: 'acc1', serviceToken: TOKEN }],
    });
  });

  test('ten calls are under way at once', async () => {
    const held: (() => void)[] = [];
    const wire = await serve(
      () =>
        new Promise((resolve) => {
          held.push(() => resolve(success({ success: true })));
          // Nobody is answered before all ten are here.
          if (held.length === 10) for (const release of held) release();
        }),
    );
    const mc = connect(wire.url);
    await Promise.all(Array.from({ length: 10 }, (_, index) => mc.markRead(`n${index}`)));
    expect(new Set(wire.calls.map(({ body }) => body.args[0]?.notificationId)).size).toBe(10);
  });
});

describe('an answer that is no success', () => {
  const html = { 'content-type': 'text/html; charset=utf-8' };
  const system = (code: string) => ({ code, message: 'Words of Convex' });
  const rows: [string, WireAnswer, FaultKind, string][] = [
    [
      '408',
      { status: 408, body: system('ClientDisconnect') },
      'backendUnavailable',
      'HTTP 408, ClientDisconnect',
    ],
    ['429', { status: 429, body: system('RateLimited') }, 'backendUnavailable', 'HTTP 429, RateLimited'],
    ['500', { status: 500, body: 'oops' }, 'backendUnavailable', 'HTTP 500'],
    ['503', { status: 503, body: system('Overloaded') }, 'backendUnavailable', 'HTTP 503, Overloaded'],
    ['401', { status: 401, body: '' }, 'backendRefused', 'SERVICE_TOKEN'],
    ['403', { status: 403, body: system('Forbidden') }, 'backendRefused', 'SERVICE_TOKEN'],
    ['400 of Convex', { status: 400, body: system('BadJson') }, 'backendRejected', 'HTTP 400, BadJson'],
    [
      '400 of something else',
      { status: 400, headers: html, body: '<p>No' },
      'backendUnavailable',
      'text/html',
    ],
    [
      '404',
      { status: 404, headers: html, body: '<p>Not here' },
      'backendUnavailable',
      'HTTP 404 with text/html',
    ],
    ['a page', { status: 200, headers: html, body: '<p>Hello' }, 'backendUnavailable', 'CONVEX_URL'],
    [
      'other JSON',
      { status: 200, body: { hello: 1 } },
      'backendUnavailable',
      'HTTP 200 with application/json',
    ],
    ['an empty 204', { status: 204, body: '' }, 'backendUnavailable', 'HTTP 204'],
    [
      '560 with a function error',
      { ...failure('Boom'), status: 560 },
      'backendRejected',
      'listAgents failed in',
    ],
    ['200 with a function error', failure('Boom'), 'backendRejected', 'Boom'],
    [
      'a code',
      failure('[Request ID: 1] Server Error', { code: 'UNAUTHENTICATED' }),
      'backendRefused',
      'TOKEN',
    ],
  ];
  test.each(rows)('%s', async (_name, answer, kind, words) => {
    const wire = await serve(() => answer);
    const fault = await faultFrom(connect(wire.url).listAgents());
    expect(fault.kind).toBe(kind);
    expect(fault.message).toContain(words);
    expect(fault.message).toContain('listAgents');
    expect(fault.message).not.toContain(SECRET);
    expect(fault.message.length).toBeLessThanOrEqual(300);
  });

  test('a redirect is not followed: it would carry the token away', async () => {
    const elsewhere = await serve(() => success([]));
    const wire = await serve(() => ({
      status: 307,
      headers: { location: `${elsewhere.url}/api/action` },
      body: '',
    }));
    const fault = await faultFrom(connect(wire.url).listAgents());
    expect(fault).toMatchObject({ kind: 'backendUnavailable' });
    expect(fault.message).toContain('HTTP 307');
    expect(elsewhere.calls).toHaveLength(0);
  });

  test.each([
    ['7', (ms: number) => ms === 7000],
    [new Date(Date.now() + 3_600_000).toUTCString(), (ms: number) => ms > 3_500_000 && ms <= 3_600_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', (ms: number) => ms === 0],
    ['soon', (ms: number) => ms === 0],
  ])('Retry-After: %s', async (header, isRight) => {
    const wire = await serve(() => ({ status: 503, headers: { 'retry-after': header }, body: '' }));
    const fault = await faultFrom(connect(wire.url).listAgents());
    expect(fault.retryAfterMs).toSatisfy(isRight);
  });

  test('log lines of functions are not printed', async () => {
    const written: unknown[] = [];
    const saved = console.log;
    console.log = (...line: unknown[]) => written.push(line);
    try {
      const wire = await serve(() => ({ body: { status: 'success', value: [], logLines: ['[LOG] hello'] } }));
      await connect(wire.url).listAgents();
    } finally {
      console.log = saved;
    }
    expect(written).toEqual([]);
  });
});

describe('no answer', () => {
  test('nothing listens', async () => {
    const wire = await startWire(() => success([]));
    await wire.close();
    const fault = await faultFrom(connect(wire.url).listAgents());
    expect(fault.kind).toBe('backendUnavailable');
    expect(fault.message).toContain('ECONNREFUSED');
    expect(fault.message).toContain('CONVEX_URL');
  });

  test('the name is unknown', async () => {
    const fault = await faultFrom(connect('http://nowhere.invalid', { timeoutMs: 3000 }).listAgents());
    expect(fault.kind).toBe('backendUnavailable');
  });

  test('no TLS where TLS is asked for', async () => {
    const wire = await serve(() => success([]));
    const fault = await faultFrom(connect(wire.url.replace('http:', 'https:')).listAgents());
    expect(fault.kind).toBe('backendUnavailable');
  });

  test('the connection breaks in the middle of the body', async () => {
    const url = await serveHalf('end');
    const fault = await faultFrom(connect(url).listAgents());
    expect(fault.kind).toBe('backendUnavailable');
    expect(fault.message).toContain('cannot be reached');
  });

  test('the time is over before the headers', async () => {
    const wire = await serve(() => new Promise<never>(() => undefined));
    const fault = await faultFrom(connect(wire.url, { timeoutMs: 50 }).listAgents());
    expect(fault.kind).toBe('backendUnavailable');
    expect(fault.message).toContain('did not answer listAgents within 0.05 s');
  });

  test('the time is over in the middle of the body', async () => {
    const url = await serveHalf('write');
    const fault = await faultFrom(connect(url, { timeoutMs: 50 }).listAgents());
    expect(fault.message).toContain('within 0.05 s');
  });

  test('the caller gives up', async () => {
    const giveUp = new AbortController();
    const wire = await serve(() => {
      giveUp.abort();
      return new Promise<never>(() => undefined);
    });
    const mc = connect(wire.url);
    expect(await faultFrom(mc.listAgents(giveUp.signal))).toMatchObject({ kind: 'aborted' });
    // One that has given up before does not even send.
    expect(await faultFrom(mc.listAgents(giveUp.signal))).toMatchObject({ kind: 'aborted' });
    expect(wire.calls).toHaveLength(1);
  });
});

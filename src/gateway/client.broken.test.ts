import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../machines/shared/fault.ts';
import { createGateway } from './client.ts';
import { aRun, faultFrom, serveHttp, serveTcp } from '../../test/kits/gateway-server.ts';
import type { TestServer } from '../../test/kits/gateway-server.ts';

let server: TestServer | null = null;
/** The client's own connections, as undici tells them. */
let connections: Socket[] = [];

const remember = (message: unknown): void => {
  const isMessage = typeof message === 'object' && message !== null && 'socket' in message;
  if (isMessage && message.socket instanceof Socket) connections.push(message.socket);
};
beforeEach(() => subscribe('undici:client:connected', remember));
afterEach(async () => {
  unsubscribe('undici:client:connected', remember);
  connections = [];
  await server?.close();
  server = null;
});

/** How a run on such a gateway fails; by then its connection is closed. */
async function runOn(url: string, requestTimeoutMs = 5000): Promise<Fault> {
  const fault = await faultFrom(createGateway({ url, token: 't', requestTimeoutMs }).respond(aRun()));
  expect(connections.filter((socket) => !socket.closed)).toEqual([]);
  return fault;
}

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const event = (fields: object): string => `data: ${JSON.stringify(fields)}\n\n`;
const CREATED = event({ type: 'response.created', response: { status: 'in_progress' } });
const COMPLETED = event({
  type: 'response.completed',
  response: { status: 'completed', output: [{ type: 'message', content: 'whole' }] },
});

/** A gateway that answers the first bytes of a request with these, then does what `after` says. */
const answering = async (text: string | Buffer, after: (socket: Socket) => void): Promise<string> => {
  server = await serveTcp((socket) => {
    socket.once('data', () => socket.write(text, () => after(socket)));
  });
  return server.url;
};
const leave = (socket: Socket): void => void socket.destroy();
const finish = (socket: Socket): void => void socket.end();
const stay = (): void => undefined;

describe('before the request was sent no run began', () => {
  it('nobody listens', async () => {
    const url = await answering('', stay);
    await server?.close();
    const fault = await runOn(url);
    expect(fault.kind).toBe('gatewayUnavailable');
    expect(fault.message).toMatch(/ECONNREFUSED.*OPENCLAW_GATEWAY_URL/);
  });

  it('the name is unknown', async () => {
    expect(await runOn('http://gateway.invalid:1')).toMatchObject({ kind: 'gatewayUnavailable' });
  });

  it('the other side does not speak TLS', async () => {
    const url = await answering('HTTP/1.1 400 Bad Request\r\n\r\n', finish);
    expect(await runOn(url.replace('http:', 'https:'))).toMatchObject({ kind: 'gatewayUnavailable' });
  });

  it('the other side does not speak HTTP', async () => {
    const url = await answering('SSH-2.0-OpenSSH_9.6\r\n', stay);
    expect(await runOn(url)).toMatchObject({ kind: 'gatewayMisconfigured' });
  });
});

describe('after the request was sent a run may have begun', () => {
  it.each([
    ['without a byte', ''],
    ['inside the head', 'HTTP/1.1 200 OK\r\ncontent-'],
    ['after the head', HEAD],
    ['after a comment', HEAD + chunk(': wait\n\n')],
    ['inside the first event', HEAD + chunk('data: {"type":"resp')],
    ['after the first event', HEAD + chunk(CREATED)],
    ['after some words', HEAD + chunk(CREATED + event({ type: 'response.output_text.delta', delta: 'I' }))],
    ['inside the last event', HEAD + chunk(CREATED + COMPLETED.slice(0, -30))],
    [
      'inside a plain answer',
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n{"object":',
    ],
  ])('the connection breaks %s', async (_name, text) => {
    const url = await answering(text, leave);
    expect(await runOn(url)).toMatchObject({
      kind: 'runCut',
      message: expect.stringMatching(/^The answer broke off: /) as string,
    });
  });

  it.each([
    ['without an event', ''],
    ['after the first one', chunk(CREATED)],
  ])('the stream ends %s', async (_name, text) => {
    const url = await answering(`${HEAD}${text}0\r\n\r\n`, finish);
    expect(await runOn(url)).toMatchObject({ kind: 'runCut' });
  });
});

describe('after the first event the run failed', () => {
  it.each([
    ['the run fails', CREATED + event({ type: 'response.failed', response: { status: 'failed' } })],
    ['an error comes', CREATED + event({ type: 'error', message: 'no' })],
    ['the stream is marked as ended without a word', `${CREATED}data: [DONE]\n\n`],
    ['no event could be read', `data: {oops\n\ndata: 7\n\ndata: [DONE]\n\n`],
  ])('%s', async (_name, text) => {
    const url = await answering(HEAD + chunk(text), stay);
    expect(await runOn(url)).toMatchObject({ kind: 'runFailed' });
  });

  it('one event is over 64 MiB', async () => {
    const piece = Buffer.alloc(2 ** 20, 'x');
    server = await serveHttp((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`${CREATED}data: `);
      const pour = (): void => {
        while (!response.destroyed && response.write(piece));
        if (!response.destroyed) response.once('drain', pour);
      };
      pour();
    });
    const fault = await runOn(server.url, 60_000);
    expect(fault.kind).toBe('runFailed');
    expect(fault.message).toContain('67108864 characters');
  });

  it('the answer is an endless page, which is not read at all', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n';
    const url = await answering(head + chunk('<p>'.repeat(1000)), stay);
    expect(await runOn(url)).toMatchObject({ kind: 'runCut' });
  });
});

describe('a run that takes too long', () => {
  it.each([
    ['without an answer', ''],
    ['inside the body', HEAD + chunk(CREATED)],
  ])('is given up %s, and its connection closed', async (_name, text) => {
    const fault = await runOn(await answering(text, stay), 300);
    expect(fault).toMatchObject({ kind: 'runTimedOut', message: 'The run did not end within 300 ms.' });
    expect(connections).toHaveLength(1);
  });
});

describe('a reply that was read whole', () => {
  const gatewayAt = (url: string, requestTimeoutMs = 5000): Promise<unknown> =>
    createGateway({ url, token: 't', requestTimeoutMs }).respond(aRun());

  it('counts, although the connection breaks after it', async () => {
    const url = await answering(HEAD + chunk(CREATED + COMPLETED), leave);
    expect(await gatewayAt(url)).toMatchObject({ text: 'whole', calls: [] });
  });

  it('counts at once, although the stream is not ended; its connection is closed a while later', async () => {
    const url = await answering(HEAD + chunk(CREATED + COMPLETED), stay);
    const gateway = createGateway({ url, token: 't', requestTimeoutMs: 60_000, lingerMs: 300 });
    expect(await gateway.respond(aRun())).toMatchObject({ text: 'whole', calls: [] });
    expect(connections.map((socket) => socket.closed)).toEqual([false]);
    await expect.poll(() => connections.map((socket) => socket.closed)).toEqual([true]);
  });

  it('lets go of its connection before the next run of its session, and of no other', async () => {
    const url = await answering(HEAD + chunk(CREATED + COMPLETED), stay);
    const gateway = createGateway({ url, token: 't', requestTimeoutMs: 60_000, lingerMs: 300 });
    await gateway.respond(aRun({ sessionKey: 'a' }));
    await gateway.respond(aRun({ sessionKey: 'b' }));
    expect(connections.map((socket) => socket.closed)).toEqual([false, false]);
    await gateway.respond(aRun({ sessionKey: 'a' }));
    expect(connections[0]?.closed).toBe(true);
    await gateway.close();
    expect(connections.map((socket) => socket.closed)).toEqual([true, true, true]);
  });

  it('lets a gateway go on for a while that dislikes those who leave early', async () => {
    let left = false;
    server = await serveHttp((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(CREATED + COMPLETED);
      response.once('close', () => (left = !response.writableFinished));
      setTimeout(() => response.end('data: [DONE]\n\n'), 100);
    });
    const gateway = createGateway({ url: server.url, token: 't', requestTimeoutMs: 5000 });
    await gateway.respond(aRun());
    await expect.poll(() => connections.map((socket) => socket.closed)).toEqual([true]);
    expect(left).toBe(false);
  });

  it('does not wait for the connection when the end mark is there', async () => {
    const url = await answering(HEAD + chunk(`${CREATED}${COMPLETED}data: [DONE]\n\n`), stay);
    expect(await gatewayAt(url, 60_000)).toMatchObject({ text: 'whole', calls: [] });
  });

  it('comes through byte by byte', async () => {
    const text = event({
      type: 'response.completed',
      response: { status: 'completed', output: [{ type: 'message', content: 'é😀' }] },
    });
    server = await serveHttp((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const bytes = Buffer.from(text);
      const next = (at: number): void => {
        if (at === bytes.length) response.end();
        else response.write(bytes.subarray(at, at + 1), () => setImmediate(next, at + 1));
      };
      next(0);
    });
    expect(await gatewayAt(server.url)).toMatchObject({ text: 'é😀', calls: [] });
  });
});

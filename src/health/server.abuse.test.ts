import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createBoundedServer, MAX_CONNECTIONS, refuseClient } from './listener.ts';
import { exchange, open, readToEnd, startTestServer } from '../../test/kits/health-server.ts';
import type { Socket } from 'node:net';
import type { Started } from '../../test/kits/health-server.ts';

const MIB = 1024 * 1024;
let server: Started;

beforeEach(async () => {
  server = await startTestServer();
});

afterEach(async () => {
  expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  await server.close();
});

describe('what is not HTTP', () => {
  test.each([
    ['noise', Buffer.from([0x00, 0xff, 0x13, 0x37, 0x0d, 0x0a, 0x0d, 0x0a])],
    ['a TLS hello', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03])],
    ['a bad version', 'GET /health HTTP/9.9\r\n\r\n'],
    ['two lengths', 'GET /health HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
    ],
    ['no host', 'GET /health HTTP/1.1\r\n\r\n'],
  ])('%s is 400 and the end of the connection', async (_name, bytes) => {
    const answer = await exchange(server.port, bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
  });

  test('the refusal is JSON and a debug line, not an error', async () => {
    const answer = await exchange(server.port, 'nonsense\r\n\r\n');
    expect(answer.split('\r\n\r\n')[1]).toBe('{"error":{"message":"Bad Request"}}');
    expect(server.log.map(({ level, event }) => `${level} ${event}`)).toEqual(['debug http.refused']);
  });

  test('a reset is nothing', async () => {
    const socket = await open(server.port);
    socket.write('GET /health HT');
    socket.resetAndDestroy();
    await once(socket, 'close');
  });

  test('CONNECT and an upgrade do not hold a socket', async () => {
    await exchange(server.port, 'CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n');
    const upgrade =
      'GET /health HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n';
    expect(await exchange(server.port, upgrade)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('too much', () => {
  test('one huge header is 431', async () => {
    const bomb = `GET /health HTTP/1.1\r\nhost: x\r\nbomb: ${'x'.repeat(1 * MIB)}\r\n\r\n`;
    expect(await exchange(server.port, bomb)).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('thousands of headers are 431', async () => {
    const headers = Array.from({ length: 5_000 }, (_, i) => `x-${i}: y\r\n`).join('');
    expect(await exchange(server.port, `GET /health HTTP/1.1\r\nhost: x\r\n${headers}\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
  });

  test('an endless address is 431', async () => {
    expect(await exchange(server.port, `GET /${'a'.repeat(MIB)} HTTP/1.1\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
  });

  test.each([
    ['POST', `content-length: ${64 * MIB}`, 405],
    ['POST', 'transfer-encoding: chunked', 405],
    ['GET', `content-length: ${64 * MIB}`, 200],
  ])('a 64 MiB body of %s (%s) is answered with %i and not read', async (method, framing, status) => {
    const socket = await open(server.port);
    const answer = readToEnd(socket);
    socket.write(`${method} /health HTTP/1.1\r\nhost: x\r\n${framing}\r\n\r\n`);
    const sent = await pour(socket, framing.startsWith('transfer') ? chunkOf(MIB) : Buffer.alloc(MIB), 64);
    expect(await answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    // What the kernel's own buffers swallow is all that may be taken.
    expect(sent).toBeLessThan(32);
  });

  test('a client that asks before it sends is told not to', async () => {
    const ask = `POST /health HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: ${MIB}\r\n\r\n`;
    expect(await exchange(server.port, ask)).toMatch(/^HTTP\/1\.1 405 /);
  });

  test('pipelined requests are all answered', async () => {
    const request = 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n';
    const last = 'GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    const answer = await exchange(server.port, request.repeat(499) + last);
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(500);
  });
});

describe('too slow', () => {
  test('200 slow clients hold a bounded number of connections, and a probe gets its answer', async () => {
    const slow = await Promise.all(Array.from({ length: 200 }, () => open(server.port)));
    for (const socket of slow) socket.write('GET /health HTTP/1.1\r\nx-slow: ');
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    // The probe's own connection counts too.
    await vi.waitUntil(() => stillOpen(slow) < MAX_CONNECTIONS);
    expect(stillOpen(slow)).toBeGreaterThan(100);
    for (const socket of slow) socket.destroy();
  });

  test('headers that never end are 408', async () => {
    const limits = { headersTimeout: 50, requestTimeout: 50, connectionsCheckingInterval: 10 };
    const impatient = createBoundedServer(() => expect.unreachable(), limits).on('clientError', refuseClient);
    const port = await listening(impatient);
    expect(await exchange(port, 'GET /health HTTP/1.1\r\nx-slow: ')).toMatch(/^HTTP\/1\.1 408 /);
    impatient.close();
  });
});

const stillOpen = (sockets: Socket[]): number => sockets.filter((socket) => !socket.destroyed).length;

async function listening(target: ReturnType<typeof createServer>): Promise<number> {
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  const address = target.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

const chunkOf = (size: number): Buffer =>
  Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), Buffer.alloc(size), Buffer.from('\r\n')]);

/** Writes `count` blocks, one after the other is taken; @returns how many were before the connection ended. */
async function pour(socket: Socket, block: Buffer, count: number): Promise<number> {
  for (let sent = 0; sent < count; sent += 1) {
    const taken = await new Promise<boolean>((resolve) => {
      socket.once('close', () => resolve(false));
      socket.write(block, (error) => resolve(!error));
    });
    if (!taken) return sent;
  }
  return count;
}

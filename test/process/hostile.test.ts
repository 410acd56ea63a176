/** The health port of a real process under hostile and careless clients, while it works. */
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { startRuntime } from '../kits/runtime.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';

const MIB = 2 ** 20;
const AT_ONCE = 50;
const QUICK = 10_000;

test('10,000 quick requests, 200 slow ones, huge bodies and garbage: it answers, and keeps its memory', async () => {
  const runtime = await startRuntime({ backend: await missionControl(), gateway: await echoGateway() });
  const port = Number(new URL(runtime.url).port);
  await runtime.waitForHealth('that all is well', ({ status }) => status === 'healthy');
  // V8 first settles on a heap size for this load. Only growth beyond it counts.
  await quickRequests(port, QUICK);
  const before = (await runtime.health()).memory.rssBytes;

  const slow = await Promise.all(Array.from({ length: 200 }, () => open(port)));
  for (const socket of slow) socket.write('GET /health HTTP/1.1\r\nx-slow: ');
  for (const bytes of [
    'GET //\r\n\r\n',
    '\0\u0001\u0002\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    '{"json":1}\r\n\r\n',
  ]) {
    const socket = await open(port);
    socket.end(bytes);
    await closed(socket);
  }
  for (let n = 0; n < 3; n += 1) await pourBody(port, 64);
  expect(await quickRequests(port, QUICK)).toBe(QUICK);
  for (const socket of slow) socket.destroy();

  const health = await runtime.health();
  expect(health.status).toBe('healthy');
  expect(health.memory.rssBytes - before).toBeLessThan(64 * MIB);
  expect(runtime.stderr()).toBe('');
});

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  // The server may cut off any of these, which is not an error of the test.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

const drained = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('drain', resolve));

/** Sends a body until it is complete or the server closes the connection. */
async function pourBody(port: number, mebibytes: number): Promise<void> {
  const socket = await open(port);
  const gone = closed(socket);
  socket.write(`POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: ${mebibytes * MIB}\r\n\r\n`);
  for (let sent = 0; sent < mebibytes && !socket.destroyed; sent += 1) {
    if (!socket.write(Buffer.alloc(MIB))) await Promise.race([drained(socket), gone]);
  }
  await gone;
}

/** Each on a connection of its own. @returns how many were answered with 200 */
async function quickRequests(port: number, count: number): Promise<number> {
  let left = count;
  let answered = 0;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      if ((await statusOf(port)) === 200) answered += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return answered;
}

const statusOf = (port: number): Promise<number> =>
  new Promise((resolve) => {
    const ask = request({ port, host: '127.0.0.1', path: '/livez', agent: false }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    });
    ask.on('error', () => resolve(0));
    ask.end();
  });

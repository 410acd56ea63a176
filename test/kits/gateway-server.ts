import { createServer as createHttpServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { Fault } from '../../machines/shared/fault.ts';
import type { RunRequest } from '../../src/ports.ts';

/** A server of a test's own, on a free port of the loopback. */
export interface TestServer {
  url: string;
  close(): Promise<void>;
}

export const serveHttp = (listener: RequestListener): Promise<TestServer> =>
  listen(createHttpServer(listener));

export const serveTcp = (listener: (socket: Socket) => void): Promise<TestServer> =>
  listen(
    createTcpServer((socket) => {
      // The client may close the connection first: these tests are about that.
      socket.on('error', () => socket.destroy());
      listener(socket);
    }),
  );

async function listen(server: Server): Promise<TestServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The test server has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A run for the tests, with what is special about it. */
export const aRun = (special: Partial<RunRequest> = {}): RunRequest => ({
  agentSlug: 'engineer',
  sessionKey: 'task:t1:agent:engineer:acc1:v1',
  instructions: 'Answer.',
  input: 'hello',
  signal: new AbortController().signal,
  ...special,
});

/** The fault that something rejects with; anything else fails the test. */
export async function faultFrom(work: Promise<unknown>): Promise<Fault> {
  const outcome = await work.then(
    (value) => new Error(`It did not fail but gave ${JSON.stringify(value)}.`),
    (error: unknown) => error,
  );
  if (outcome instanceof Fault) return outcome;
  throw outcome;
}

/** The real OpenClaw gateway for the tests that want one, or why there is none. */
export async function findRealGateway(): Promise<{ url: string; token: string } | { missing: string }> {
  const url = process.env['REAL_GATEWAY_URL'] ?? 'http://127.0.0.1:18900';
  const token = process.env['REAL_GATEWAY_TOKEN'] ?? 'lab-token';
  const answers = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) }).then(
    async (answer) => answer.ok && (await answer.text()).includes('"ready":true'),
    () => false,
  );
  return answers
    ? { url, token }
    : { missing: `No OpenClaw gateway is ready at ${url}: set REAL_GATEWAY_URL.` };
}

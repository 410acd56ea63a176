import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { BindError } from './bind-error.ts';
import { startHttpServer } from './server.ts';
import { open, readToEnd, startTestServer } from '../../test/kits/health-server.ts';

async function bindErrorOf(host: string, port: number): Promise<BindError> {
  const started = startHttpServer({
    host,
    port,
    source: {
      health: () => expect.unreachable(),
      version: () => ({}),
      metrics: () => Promise.resolve(''),
      why: () => Promise.resolve({ kind: 'none', problem: 'Nothing is known of it.' }),
      live: () => true,
      ready: () => true,
    },
    redact: (text) => text,
    log: () => undefined,
  });
  const error = await started.catch((reason: unknown) => reason);
  if (error instanceof BindError) return error;
  throw new Error(`Expected a BindError, not ${String(error)}`);
}

describe('a server that cannot listen', () => {
  test('names HEALTH_PORT when the port is taken', async () => {
    const other = await startTestServer();
    const error = await bindErrorOf('127.0.0.1', other.port);
    expect(error.code).toBe('EADDRINUSE');
    expect(error.message).toBe(
      `The health server cannot listen on 127.0.0.1:${other.port}: the port is taken. ` +
        'Stop what listens there, or set HEALTH_PORT to a free port.',
    );
    await other.close();
  });

  test('names HEALTH_HOST when the address is not of this machine', async () => {
    const error = await bindErrorOf('192.0.2.1', 3000);
    expect(error.code).toBe('EADDRNOTAVAIL');
    expect(error.message).toContain('192.0.2.1:3000: this machine has no such address. Set HEALTH_HOST');
  });

  test.each([
    ['EACCES', '::1', '[::1]:80: this user may not open that port. Set HEALTH_PORT to a port above 1023.'],
    ['ENOTFOUND', 'nowhere', 'nowhere:80: the name has no address. Set HEALTH_HOST'],
    ['EINVAL', 'x', 'x:80: EINVAL. Check HEALTH_HOST and HEALTH_PORT.'],
  ])('has a sentence for %s', (code, host, sentence) => {
    const error = new BindError(host, 80, Object.assign(new Error('listen failed'), { code }));
    expect(error.message).toContain(sentence);
    expect(error.code).toBe(code);
  });
});

describe('close', () => {
  test('ends an idle keep-alive connection and frees the port', async () => {
    const server = await startTestServer();
    const socket = await open(server.port);
    const answer = readToEnd(socket);
    socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'data');
    await server.close();
    expect(await answer).toMatch(/^HTTP\/1\.1 200 [^]*keep-alive/i);

    const next = createServer().listen(server.port, '127.0.0.1');
    await once(next, 'listening');
    next.close();
  });

  test('cuts a mute connection and a request that is never answered', async () => {
    let asked: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (asked = resolve));
    const server = await startTestServer({
      metrics: () => {
        asked();
        return new Promise<string>(() => undefined);
      },
    });
    const mute = readToEnd(await open(server.port));
    const stuck = await open(server.port);
    const stuckAnswer = readToEnd(stuck);
    stuck.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
    await reached;
    await server.close();
    expect(await mute).toBe('');
    expect(await stuckAnswer).toBe('');
  });

  test('lets an answer under way finish, and may be called twice', async () => {
    let finish: (text: string) => void = () => undefined;
    let asked: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (asked = resolve));
    const server = await startTestServer({
      metrics: () => {
        asked();
        return new Promise<string>((resolve) => (finish = resolve));
      },
    });
    const response = fetch(`${server.url}/metrics`);
    await reached;
    const closed = Promise.all([server.close(), server.close()]);
    finish('up 1\n');
    expect(await (await response).text()).toBe('up 1\n');
    await closed;
    await expect(fetch(server.url)).rejects.toThrow();
  });
});

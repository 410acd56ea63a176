import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../local/free-port.ts';
import { until } from '../../test/kits/until.ts';
import { watchPulse } from './pulse.ts';

async function serve(port: number, status: number): Promise<Server> {
  const server = createServer((_, answer) => answer.writeHead(status).end('1'));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => end(server));
  return server;
}

async function end(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

function watch(port: number, limitMs?: number) {
  const told: boolean[] = [];
  const problems: (string | null)[] = [];
  const stop = watchPulse({
    url: `http://127.0.0.1:${port}`,
    tell: (answers) => void told.push(answers),
    onSilence: (problem) => void problems.push(problem),
    everyMs: 20,
    ...(limitMs !== undefined && { limitMs }),
  });
  onTestFinished(stop);
  return { told, problems };
}

test('each change is told, once', async () => {
  const port = await freePort();
  const first = await serve(port, 200);
  const { told } = watch(port);
  await end(first);
  await until('It is gone', () => told.length === 1);
  const second = await serve(port, 404);
  await until('It is back', () => told.length === 2);
  await end(second);
  await until('It is gone again', () => told.length === 3);
  expect(told).toEqual([false, true, false]);
});

test('an answer of 500 and more is none', async () => {
  const port = await freePort();
  await serve(port, 503);
  const { told } = watch(port);
  await until('It is told', () => told.length === 1);
  expect(told).toEqual([false]);
});

test('one that takes connections and does not answer is told as such, until it answers', async () => {
  const port = await freePort();
  const hung: (() => void)[] = [];
  let isHanging = true;
  const server = createServer((_, answer) => {
    if (isHanging) hung.push(() => answer.end());
    else answer.end('1');
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => end(server));
  const { told, problems } = watch(port, 50);
  await until('It is told', () => problems.length === 1);
  expect(hung.length).toBeGreaterThanOrEqual(2);
  expect(problems[0]).toContain(`127.0.0.1:${port} takes connections and does not answer`);
  isHanging = false;
  await until('It is taken back', () => problems.length === 2);
  expect(problems[1]).toBeNull();
  expect(told).toEqual([false, true]);
});

import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../local/free-port.ts';
import { until } from '../../test/kits/until.ts';
import { watchPulse, type PulseOptions } from './pulse.ts';

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

function watch(port: number, isNeeded: PulseOptions['isNeeded'] = () => true) {
  const told: boolean[] = [];
  const options = { url: `http://127.0.0.1:${port}`, isNeeded, tell: (is: boolean) => told.push(is) };
  const stop = watchPulse({ ...options, everyMs: 20 });
  onTestFinished(stop);
  return { told, stop };
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

test('nothing is sent while nobody wants to know', async () => {
  const port = await freePort();
  const looks = { asked: 0 };
  const { told } = watch(port, () => ++looks.asked < 0);
  await until('It would have looked', () => looks.asked > 5);
  expect(told).toEqual([]);
});

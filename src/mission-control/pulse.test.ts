import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { Look } from '../../machines/pulse/machine.ts';
import { freePort } from '../local/free-port.ts';
import { createLook } from './pulse.ts';

/** @returns what a look at such a server finds */
async function lookAt(listener: RequestListener): Promise<{ look: Look; port: number }> {
  const port = await freePort();
  const server = createServer(listener);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { look: await lookOn(port), port };
}

const lookOn = (port: number): Promise<Look> =>
  createLook({ url: `http://127.0.0.1:${port}`, proxy: null, limitMs: 200 })(new AbortController().signal);

test.each([
  [200, 'answered'],
  [404, 'answered'],
  [503, 'failed'],
])('a Convex that answers %d has %s', async (status, found) => {
  const { look } = await lookAt((_, answer) => answer.writeHead(status).end('1'));
  expect(look).toEqual({ found });
});

test('a Convex that is not there has failed', async () => {
  expect(await lookOn(await freePort())).toEqual({ found: 'failed' });
});

test('one that takes connections and does not answer is silent, and the sentence names it', async () => {
  const { look, port } = await lookAt(() => undefined);
  expect(look).toMatchObject({ found: 'silent' });
  expect(look.found === 'silent' && look.problem).toContain(
    `127.0.0.1:${port} takes connections and does not answer`,
  );
});

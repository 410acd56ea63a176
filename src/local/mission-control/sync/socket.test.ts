/** A stock ConvexClient on the socket: mutations, what becomes of them when the connection breaks, and what is no call. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { ConvexClient } from 'convex/browser';
import { makeFunctionReference } from 'convex/server';
import { expect, onTestFinished, test } from 'vitest';
import { modules } from '../../../../test/kits/convex-engines/engines.ts';
import { until } from '../../../../test/kits/until.ts';
import { createEngine, type Commit } from '../engine/engine.ts';
import { createBackendServer } from '../server.ts';
import { serveSync } from './server.ts';

const increment = makeFunctionReference<'mutation', { label: number }, number>('values:increment');
const addThing = makeFunctionReference<'mutation'>('values:addThing');
const countThings = makeFunctionReference<'query', { label: number }, number>('values:countThings');

async function serve() {
  const engine = createEngine({ path: ':memory:', modules });
  const logged: string[] = [];
  const log = (line: string): void => void logged.push(line);
  const server = createBackendServer({ engine, adminKey: 'key', faults: null, log });
  const sync = serveSync(server, engine, log);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const client = new ConvexClient(`http://127.0.0.1:${port}`, {
    skipConvexDeploymentUrlCheck: true,
    logger: false,
  });
  onTestFinished(async () => {
    await client.close();
    sync.close();
    server.closeAllConnections();
    server.close();
    engine.close();
  });
  return { engine, sync, client, port, logged };
}

test('a mutation over the socket is done once, and what it did is there when its promise settles', async () => {
  const { client } = await serve();
  const heard: number[] = [];
  client.onUpdate(countThings, { label: 7 }, (count) => void heard.push(count));
  await until('It has the first value', () => heard.length === 1);
  await client.mutation(addThing, { label: 7 });
  expect(heard).toEqual([0, 1]);
  expect(await client.mutation(increment, { label: 1 })).toBe(1);
  expect(await client.mutation(increment, { label: 1 })).toBe(2);
});

test('a connection that breaks before the answer: the client asks again, and the mutation is not done twice', async () => {
  const { engine, sync, client } = await serve();
  expect(await client.mutation(increment, { label: 1 })).toBe(1);
  let breaks = 0;
  engine.onCommit(({ touches }: Commit) => {
    // It is committed, and its answer is not sent yet.
    if (breaks++ === 0 && touches.length > 0) sync.disconnect();
  });
  expect(await client.mutation(increment, { label: 1 })).toBe(2);
  expect(breaks).toBe(1);
  expect(await client.mutation(increment, { label: 1 })).toBe(3);
});

test('a subscription goes on after a broken connection, with what came meanwhile', async () => {
  const { engine, sync, client } = await serve();
  const heard: number[] = [];
  client.onUpdate(countThings, { label: 7 }, (count) => void heard.push(count));
  await until('It has the first value', () => heard.length === 1);
  sync.disconnect();
  await engine.call({ kind: 'mutation', path: 'values:addThing', args: { label: 7 } });
  await until('It has heard of the change', () => heard.at(-1) === 1);
});

test('an unknown function and wrong arguments are one error each, and the connection goes on', async () => {
  const { client } = await serve();
  const nothing = makeFunctionReference<'mutation'>('values:nothing');
  await expect(client.mutation(nothing, {})).rejects.toThrow(
    "Could not find public function for 'values:nothing'. Look for its name in convex/.",
  );
  await expect(client.mutation(makeFunctionReference<'mutation'>('values:increment'), {})).rejects.toThrow(
    'ArgumentValidationError: Object is missing the required field `label`.',
  );
  const wrong = new Promise<Error>((resolve) => {
    client.onUpdate(
      makeFunctionReference<'query'>('values:countThings'),
      { label: 'x' },
      () => undefined,
      resolve,
    );
  });
  expect((await wrong).message).toMatch(
    /ArgumentValidationError: Value does not match validator\.\nPath: \.label/,
  );
  expect(await client.mutation(increment, { label: 1 })).toBe(1);
});

/** The head of a frame with bits that no extension has claimed. */
const BROKEN_FRAME = Buffer.from([0xf1, 0x80, 0, 0, 0, 0]);

test('a broken frame ends its own connection with code 1002, one line in the log, and nobody else’s', async () => {
  const { client, port, logged } = await serve();
  const socket = connect(port, '127.0.0.1');
  socket.write(
    'GET /api/1.48.0/sync HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
  );
  await once(socket, 'data');
  const answer = once(socket, 'data') as Promise<[Buffer]>;
  socket.write(BROKEN_FRAME);
  const [frame] = await answer;
  expect([frame[0], frame.readUInt16BE(2)]).toEqual([0x88, 1002]);
  socket.destroy();
  expect(logged).toEqual([
    expect.stringMatching(/^a client's connection is closed: it sent what is no frame \(.*\)$/),
  ]);
  expect(await client.mutation(increment, { label: 1 })).toBe(1);
});

/** The subscription of a stock ConvexClient, against the sync server of the local backend and against strangers. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { ConvexError } from 'convex/values';
import { WebSocketServer } from 'ws';
import { oneThing } from '../../test/kits/sync-source.ts';
import type { WatchNews } from '../../machines/extensions/machine.ts';
import { forwardProxy } from '../../test/kits/forward-proxy.ts';
import { serveSync, type SyncServer } from '../local/mission-control/sync/server.ts';
import { watchQueue } from './queue-watch.ts';

const SECRET = 'c0ffee'.repeat(8);
const ACCESS = { accountId: 'acc1', serviceToken: `mc_service_acc1_${SECRET}` };

const closing: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

/** A backend whose queue has one table and whose answer the test sets. */
async function serveQueue() {
  const state: { reply: string | Error; runs: unknown[] } = { reply: '1', runs: [] };
  const server = createServer();
  const queue = oneThing(({ path, args }) => {
    state.runs.push([path, args]);
    if (typeof state.reply === 'string') return state.reply;
    throw state.reply;
  });
  const sync: SyncServer = serveSync(server, queue);
  closing.push(() => sync.close());
  return { url: await listen(server), sync, queue, state };
}

function watch(url: string, proxy: string | null = null) {
  const news: WatchNews[] = [];
  const close = watchQueue({ url, proxy, ...ACCESS }, (one) => news.push(one));
  closing.push(close);
  const types = () => news.map(({ type }) => type);
  const heard = (...expected: string[]) =>
    vi.waitFor(() => expect(types()).toEqual(expected), { timeout: 20_000 });
  return { news, heard, close };
}

test('goes through a proxy, by a tunnel', async () => {
  const { url, queue, state } = await serveQueue();
  const proxy = await forwardProxy({ 'convex.corp:80': Number(new URL(url).port) });
  const { heard } = watch('http://convex.corp', proxy.url);
  await heard('watch.began');
  state.reply = '2';
  queue.written();
  await heard('watch.began', 'queue.changed');
  expect(proxy.asked).toEqual(['CONNECT convex.corp:80']);
});

test('begins with the first value, and tells of each change and of nothing else', async () => {
  const { url, queue, state } = await serveQueue();
  const { heard } = watch(url);
  await heard('watch.began');
  expect(state.runs).toEqual([['service/extensions:wakeUp', ACCESS]]);

  queue.written();
  await vi.waitFor(() => expect(state.runs).toHaveLength(2));
  state.reply = '2';
  queue.written();
  await heard('watch.began', 'queue.changed');
  expect(state.runs).toHaveLength(3);
});

test('restores a lost connection by itself and begins again, whether the value has changed or not', async () => {
  const { url, sync, state } = await serveQueue();
  const { heard } = watch(url);
  await heard('watch.began');
  sync.disconnect();
  await heard('watch.began', 'watch.lost', 'watch.began');
  state.reply = '2';
  sync.disconnect();
  await heard('watch.began', 'watch.lost', 'watch.began', 'watch.lost', 'watch.began');
});

test('a token that is refused ends it, and no text of ours has it', async () => {
  const { url, state } = await serveQueue();
  state.reply = new ConvexError({
    code: 'UNAUTHENTICATED',
    message: `Invalid service token ${ACCESS.serviceToken}`,
  });
  const { news, heard } = watch(url);
  await heard('watch.failed');
  expect(news[0]).toMatchObject({ fault: { kind: 'backendRefused' } });
  expect(JSON.stringify(news)).not.toContain(SECRET);
});

test('a query that fails later on ends it', async () => {
  const { url, queue, state } = await serveQueue();
  const { news, heard } = watch(url);
  await heard('watch.began');
  state.reply = new Error('as told');
  queue.written();
  await heard('watch.began', 'watch.failed');
  expect(news[1]).toMatchObject({ fault: { kind: 'backendRejected' } });
});

test.each([
  ['no JSON', 'hello'],
  ['a message of another kind', '{"type":"Hello"}'],
  ['a transition from nowhere', transitionFrom(7)],
  ['a fatal error', '{"type":"FatalError","error":"Go away"}'],
])('a server that sends %s is told of, and is no exception of the process', async (_, text) => {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', () => socket.send(text)));
  const { news, heard } = watch(await listen(server));
  await heard('watch.failed');
  expect(news[0]).toMatchObject({ fault: { kind: 'backendUnavailable' } });
});

function transitionFrom(querySet: number): string {
  const version = { querySet, ts: 'AAAAAAAAAAA=', identity: 0 };
  const modifications: never[] = [];
  return JSON.stringify({ type: 'Transition', startVersion: version, endVersion: version, modifications });
}

test('where there is no sync protocol it goes on trying, says nothing on the console, and can be closed', async () => {
  const spoken = (['log', 'info', 'warn', 'error'] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation(() => undefined),
  );
  let upgrades = 0;
  const server = createServer((_, response) => response.writeHead(404).end());
  server.on('upgrade', (_, socket) => {
    upgrades += 1;
    socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
  });
  const { news, close } = watch(await listen(server));
  await vi.waitFor(() => expect(upgrades).toBeGreaterThanOrEqual(2), { timeout: 20_000 });
  close();
  expect(news).toEqual([]);
  for (const speak of spoken) {
    expect(speak).not.toHaveBeenCalled();
    speak.mockRestore();
  }
});

test('a connection that hangs is cut off when it is closed', async () => {
  const open = new Set<Socket>();
  const server = createTcpServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
    // It has to be read, or its end is not seen.
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { news, close } = watch(`http://127.0.0.1:${port}`);
  await vi.waitFor(() => expect(open.size).toBe(1));
  close();
  await vi.waitFor(() => expect(open.size).toBe(0));
  expect(news).toEqual([]);
});

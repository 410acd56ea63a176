import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { proxyTo, type Trouble } from './proxy.ts';
import { until } from './until.ts';

/** Says back what it hears. */
async function echo(): Promise<string> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

interface Caller {
  say(text: string): void;
  heard(): string;
  /** How many pieces it came in. */
  pieces(): number;
  /** The error's code, '' when it ended well, null while it is open. */
  end(): string | null;
}

function call(url: string): Caller {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const pieces: string[] = [];
  let end: string | null = null;
  socket.setNoDelay(true).setEncoding('utf8');
  socket.on('data', (piece: string) => pieces.push(piece));
  socket.on('error', (error) => (end = 'code' in error ? String(error.code) : error.message));
  socket.on('close', () => (end ??= ''));
  onTestFinished(() => void socket.destroy());
  return {
    say: (text) => void socket.write(text),
    heard: () => pieces.join(''),
    pieces: () => pieces.length,
    end: () => end,
  };
}

async function through(trouble: Trouble) {
  const proxy = await proxyTo(await echo());
  proxy.set(trouble);
  const caller = call(proxy.url);
  return { proxy, caller };
}

test('without trouble all goes through', async () => {
  const { proxy, caller } = await through({ kind: 'none' });
  caller.say('hello');
  await until('The echo is there', () => caller.heard() === 'hello');
  expect(proxy.passed()).toBe(5);
});

test('latency: what is said comes back, and not at once', async () => {
  const { caller } = await through({ kind: 'latency', ms: 150 });
  const said = performance.now();
  caller.say('hello');
  await until('The echo is there', () => caller.heard() === 'hello');
  expect(performance.now() - said).toBeGreaterThanOrEqual(149);
});

test('reset: open connections break, new ones as well, and then none', async () => {
  const { proxy, caller } = await through({ kind: 'none' });
  caller.say('hello');
  await until('The echo is there', () => caller.heard() === 'hello');
  proxy.set({ kind: 'reset' });
  expect(await until('It broke', () => caller.end() ?? false)).toBe('ECONNRESET');
  const second = call(proxy.url);
  expect(await until('It broke', () => second.end() ?? false)).toBe('ECONNRESET');
  proxy.set({ kind: 'none' });
  const third = call(proxy.url);
  third.say('again');
  await until('The echo is there', () => third.heard() === 'again');
});

test('black hole: nothing comes until it is over, and then all of it', async () => {
  const { proxy, caller } = await through({ kind: 'blackHole' });
  const witness = await through({ kind: 'none' });
  caller.say('one ');
  for (let n = 1; n <= 20; n++) {
    witness.caller.say('x');
    await until('The witness hears', () => witness.caller.heard().length === n);
  }
  expect(caller.heard()).toBe('');
  proxy.set({ kind: 'none' });
  caller.say('two');
  await until('All is there', () => caller.heard() === 'one two');
});

test('cut: so many bytes come, then the connection breaks', async () => {
  const { caller } = await through({ kind: 'cut', afterBytes: 7 });
  caller.say('hello world');
  expect(await until('It broke', () => caller.end() ?? false)).toBe('ECONNRESET');
  expect(caller.heard()).toBe('hello w');
});

test('drip: it comes in small pieces', async () => {
  const { caller } = await through({ kind: 'drip', bytes: 2, everyMs: 5 });
  caller.say('hello world');
  await until('The echo is there', () => caller.heard() === 'hello world');
  expect(caller.pieces()).toBeGreaterThan(2);
});

test('without a target a connection is reset', async () => {
  const gone = await proxyTo('http://127.0.0.1:1');
  const caller = call(gone.url);
  expect(await until('It broke', () => caller.end() ?? false)).toBe('ECONNRESET');
});

/** A TCP proxy that makes trouble on command, between the runtime and either of its sides. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** What happens to connections, also to those that are open. A mode is about answers unless it says otherwise. */
export type Trouble =
  | { kind: 'none' }
  /** Every piece comes so much later. */
  | { kind: 'latency'; ms: number }
  /** Connections are reset at once, and new ones as soon as they come. */
  | { kind: 'reset' }
  /** Connections are taken, and nothing goes through in either direction. */
  | { kind: 'blackHole' }
  /** Every connection is reset once so many bytes, counted from now, have gone through. */
  | { kind: 'cut'; afterBytes: number }
  /** So many bytes at a time, with a pause after each. */
  | { kind: 'drip'; bytes: number; everyMs: number };

export interface Proxy {
  /** Takes the place of the target's. */
  url: string;
  /** Bytes of answers that have gone through, over all connections. */
  passed(): number;
  set(trouble: Trouble): void;
}

interface Link {
  client: Socket;
  target: Socket;
  /** What `cut` still lets through. */
  budget: number;
}

/**
 * Stands there until the test is over.
 * @param url of the target, which need not be there yet: connections are reset until it is
 */
export async function proxyTo(url: string): Promise<Proxy> {
  const links = new Set<Link>();
  let trouble: Trouble = { kind: 'none' };
  let passed = 0;
  let changed = Promise.withResolvers<undefined>();

  async function ask(link: Link, piece: Buffer): Promise<void> {
    while (trouble.kind === 'blackHole') await changed.promise;
    link.target.write(piece);
  }

  async function answer(link: Link, piece: Buffer): Promise<void> {
    for (let rest = piece; rest.length > 0 && !link.client.destroyed;) {
      const now: Trouble = trouble;
      if (now.kind === 'blackHole') await changed.promise;
      else {
        if (now.kind === 'latency') await delay(now.ms);
        const size = Math.min(rest.length, pieceSize(now, link));
        link.client.write(rest.subarray(0, size));
        passed += size;
        rest = rest.subarray(size);
        link.budget -= size;
        if (link.budget <= 0) {
          // A reset would overtake the bytes that are still in the buffer, so they are sent first.
          await new Promise((resolve) => link.client.write('', resolve));
          link.client.resetAndDestroy();
        }
        if (now.kind === 'drip') await delay(now.everyMs);
      }
    }
  }

  const server = createServer((client) => {
    const link = open(url, client, trouble);
    links.add(link);
    client.on('close', () => links.delete(link));
    if (trouble.kind === 'reset') client.resetAndDestroy();
    void carry(client, (piece) => ask(link, piece));
    void carry(link.target, (piece) => answer(link, piece)).then(() => client.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const set = (next: Trouble): void => {
    trouble = next;
    for (const link of links) {
      link.budget = budgetOf(next);
      if (next.kind === 'reset') link.client.resetAndDestroy();
    }
    changed.resolve(undefined);
    changed = Promise.withResolvers();
  };
  onTestFinished(() => {
    set({ kind: 'reset' });
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return { url: `http://127.0.0.1:${address.port}`, passed: () => passed, set };
}

function open(url: string, client: Socket, trouble: Trouble): Link {
  const { port, hostname } = new URL(url);
  const target = connect(Number(port), hostname);
  target.on('error', () => client.resetAndDestroy());
  // The 'close' event follows and is handled.
  client.on('error', () => undefined);
  client.on('close', () => target.destroy());
  return { client, target, budget: budgetOf(trouble) };
}

const budgetOf = (trouble: Trouble): number => (trouble.kind === 'cut' ? trouble.afterBytes : Infinity);

function pieceSize(trouble: Trouble, link: Link): number {
  if (trouble.kind === 'drip') return trouble.bytes;
  return trouble.kind === 'cut' ? link.budget : Infinity;
}

/** Settles at the end of what comes, and when the socket breaks: its own listeners see to that. */
async function carry(from: Socket, pass: (piece: Buffer) => Promise<void>): Promise<void> {
  const pieces: AsyncIterable<Buffer> = from;
  try {
    for await (const piece of pieces) await pass(piece);
  } catch (error) {
    if (!from.destroyed) throw error;
  }
}

/** One period of listening, from the first viewer until a while after the last. */
import { randomUUID } from 'node:crypto';
import type { AnyActorRef } from 'xstate';
import type { Message } from './hub.ts';
import { createRing } from './ring.ts';
import { createTap } from './tap.ts';
import type { Entry, Hello, News, PastView, StatusView } from './wire.ts';

/** Entries that are kept for viewers who come back or come later: about a megabyte. */
export const KEPT_ENTRIES = 5_000;
/** How often a batch goes out, in milliseconds: quicker than an eye, slower than the machines. */
const BATCH_MS = 50;
/** How often counters are looked at, in milliseconds. */
const STATUS_MS = 500;

export interface SessionOptions {
  root: AnyActorRef;
  /** When an actor entered its state, in milliseconds since the epoch. */
  since: (actor: AnyActorRef) => number | null;
  /** How often the supervisor has started that child again. */
  restarts: (id: string) => number;
  status: () => StatusView;
  /** How it was until now. */
  past: () => PastView;
  /** The version of the runtime. */
  version: string;
  tell: (message: Message) => void;
  /** Called when something inside failed. The machines do not notice. */
  onError: (error: unknown) => void;
}

export interface Session {
  /**
   * What a viewer gets first: the entries that it missed, or the whole picture.
   * @param lastId the last entry that the viewer got; null for a new viewer
   */
  greet(lastId: string | null): Message;
  /** Sends the entries that wait, and says that the process leaves. */
  leave(exitCode: number, reason: string): void;
  end(): void;
}

export function startSession(options: SessionOptions): Session {
  const { root, since, restarts, version, onError } = options;
  const epoch = randomUUID();
  const ring = createRing(KEPT_ENTRIES);
  let waiting: Entry[] = [];
  let batch: NodeJS.Timeout | null = null;

  const tap = createTap({ root, since, restarts, tell: add, onError });
  tap.attach();
  let status = options.status();
  const looking = setInterval(guarded(look), STATUS_MS);

  function guarded(work: () => void): () => void {
    return () => {
      try {
        work();
      } catch (error) {
        onError(error);
      }
    };
  }

  function add(news: News): void {
    waiting.push(ring.add(Date.now(), news));
    batch ??= setTimeout(guarded(flush), BATCH_MS);
  }

  function flush(): void {
    tap.settle();
    if (batch !== null) clearTimeout(batch);
    batch = null;
    const data = waiting;
    waiting = [];
    if (data.length > 0) options.tell({ name: 'entries', data, id: `${epoch}.${ring.last()}` });
  }

  function look(): void {
    const now = options.status();
    if (JSON.stringify(now) === JSON.stringify(status)) return;
    status = now;
    add({ kind: 'status', status });
  }

  function hello(): Hello {
    const picture = {
      epoch,
      seq: ring.last(),
      at: Date.now(),
      version,
      actors: tap.actors(),
      status: (status = options.status()),
      past: options.past(),
    };
    return { picture, history: ring.all() };
  }

  return {
    greet(lastId) {
      // The other viewers get the entries first. Otherwise the newcomer would get some of them twice.
      flush();
      const id = `${epoch}.${ring.last()}`;
      const [of, seq] = lastId?.split('.') ?? [];
      const missed = of === epoch ? ring.after(Number(seq)) : null;
      return missed === null ? { name: 'hello', data: hello(), id } : { name: 'entries', data: missed, id };
    },
    leave(exitCode, reason) {
      flush();
      look();
      add({ kind: 'left', exitCode, reason });
      flush();
    },
    end() {
      clearInterval(looking);
      if (batch !== null) clearTimeout(batch);
      tap.detach();
    },
  };
}

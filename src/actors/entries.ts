import { isKept, NOTHING_KNOWN, type Entry } from '../../machines/notification/entry.ts';
import { faultOf } from '../../machines/shared/fault.ts';
import type { Store } from '../journal/store.ts';
import { entryIn } from './stored-entry.ts';

/** The journal's entries of notifications, by the notification's id. */
export interface Entries {
  /** null when nothing is kept. */
  read(id: string): Entry | null;
  /** Notifications that something is kept of, by id. */
  unfinished(): string[];
  /** Keeps the entry: it outlives this process. */
  keep(id: string, entry: Entry): void;
  /** Keeps the entry, and settles when it outlives a power cut. Rejects with `journalUnavailable`: then no run may start. */
  write(id: string, entry: Entry): Promise<void>;
  /** As `write`, for what has begun and goes on whatever the disk does: a disk that fails gets the entry when it recovers. */
  writeIfPossible(id: string, entry: Entry): Promise<void>;
  forget(id: string): void;
  /**
   * Forgets the entry of a row that is marked. While this process lives, `read` still tells what was answered: a row that
   * Mission Control lists all the same is not run again.
   */
  finish(id: string, entry: Entry): void;
  /** Whether this process has marked the row. */
  isFinished(id: string): boolean;
}

const PREFIX = 'notification:';
const MAX_FINISHED = 5_000;

export function createEntries(store: Store): Entries {
  const finished = new Map<string, Entry>();
  const keep = (id: string, entry: Entry): void => {
    if (isKept(entry)) store.put(PREFIX + id, entry);
    else store.remove(PREFIX + id);
  };
  return {
    read: (id) => entryIn(store.read(PREFIX + id)) ?? finished.get(id) ?? null,
    unfinished: () =>
      store.keys().flatMap((key) => (key.startsWith(PREFIX) ? [key.slice(PREFIX.length)] : [])),
    keep,
    write: async (id, entry) => {
      keep(id, entry);
      await store.synced();
    },
    writeIfPossible: async (id, entry) => {
      keep(id, entry);
      await syncedIfPossible(store);
    },
    forget: (id) => store.remove(PREFIX + id),
    finish: (id, { posts, answered, runsFor }) => {
      store.remove(PREFIX + id);
      // `isAnswered` asks for a post and its version. A silent row has neither, only the version that its run was for.
      finished.set(id, { ...NOTHING_KNOWN, posts: Math.max(1, posts), answered: answered ?? runsFor });
      const [oldest] = finished.size > MAX_FINISHED ? finished.keys() : [];
      if (oldest !== undefined) finished.delete(oldest);
    },
    isFinished: (id) => finished.has(id),
  };
}

/** Settles when everything put so far outlives a power cut, or when the disk fails: then it is written later. */
export async function syncedIfPossible(store: Store): Promise<void> {
  try {
    await store.synced();
  } catch (error) {
    if (faultOf(error).kind !== 'journalUnavailable') throw error;
  }
}

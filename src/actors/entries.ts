import { isKept, type Entry } from '../../machines/notification/entry.ts';
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
  /** The same for what has begun: it goes on whatever the disk does, because the entry is written when the disk recovers. */
  writeIfPossible(id: string, entry: Entry): Promise<void>;
  forget(id: string): void;
}

const PREFIX = 'notification:';

export function createEntries(store: Store): Entries {
  const keep = (id: string, entry: Entry): void => {
    if (isKept(entry)) store.put(PREFIX + id, entry);
    else store.remove(PREFIX + id);
  };
  return {
    read: (id) => entryIn(store.read(PREFIX + id)),
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

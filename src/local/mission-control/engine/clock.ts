import type { Store } from './store.ts';
import { parseDocument, requireIndex } from './tables.ts';
import { afterPrefix } from './keys.ts';

export interface Clock {
  /** Milliseconds; every document gets a later one. */
  nextCreationTime(): number;
  /** Nanoseconds; every commit gets a later one. */
  nextCommit(): bigint;
  /** That of the last commit. */
  lastCommit(): bigint;
}

/** Goes on from the newest document, also when the machine's clock was set back. */
export function createClock(store: Store): Clock {
  let created = newestOf(store);
  let committed = BigInt(Math.ceil(Math.max(created, Date.now()))) * 1_000_000n;
  return {
    nextCreationTime() {
      created = Math.max(Date.now(), created + 0.001);
      return created;
    },
    nextCommit() {
      const now = BigInt(Date.now()) * 1_000_000n;
      committed = now > committed ? now : committed + 1n;
      return committed;
    },
    lastCommit: () => committed,
  };
}

function newestOf(store: Store): number {
  const newest = Array.from(store.tables.values(), (table) => {
    const { number: index } = requireIndex(table, 'by_creation_time');
    const [row] = store.scan({ index, from: Uint8Array.of(0), to: afterPrefix(new Uint8Array()) }, 'desc', 1);
    return row ? parseDocument(row.text)._creationTime : 0;
  });
  return Math.max(0, ...newest);
}

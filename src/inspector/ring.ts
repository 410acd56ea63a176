import type { Entry, News } from './wire.ts';

/** The last entries, numbered from 1. */
export interface Ring {
  add(at: number, news: News): Entry;
  /** The number of the newest entry; 0 when there was none. */
  last(): number;
  /** All that is kept, oldest first. */
  all(): Entry[];
  /** What came after that number; null when some of it is no longer kept. */
  after(seq: number): Entry[] | null;
}

/** @param size the least number of entries that are kept, at most twice as many are; 1 or more */
export function createRing(size: number): Ring {
  let kept: Entry[] = [];
  let last = 0;
  return {
    add(at, news) {
      const entry = { seq: (last += 1), at, ...news };
      kept.push(entry);
      // Cut in strides: a shift for every entry would move all the others.
      if (kept.length >= size * 2) kept = kept.slice(-size);
      return entry;
    },
    last: () => last,
    all: () => kept.slice(-size),
    after(seq) {
      const missed = last - seq;
      return missed >= 0 && missed <= kept.length ? kept.slice(kept.length - missed) : null;
    },
  };
}

import * as v from 'valibot';
import type { Journal, JournalEntry } from '../ports.ts';
import { thisMoment } from './moment.ts';
import type { Store } from './store.ts';

const PREFIX = 'notification:';

const version = v.object({ messageId: v.nullable(v.string()), createdAt: v.number() });

const Entry = v.object({
  attempts: v.number(),
  /** Paid runs of this version. */
  runs: v.number(),
  posts: v.number(),
  reply: v.nullable(v.object({ text: v.string(), toolCalls: v.number(), version })),
  answered: v.nullable(version),
  begun: v.nullable(
    v.object({ at: v.object({ boot: v.string(), ms: v.number() }), after: v.nullable(v.string()) }),
  ),
});

type Entry = v.InferOutput<typeof Entry> & JournalEntry;

const NOTHING: Entry = { attempts: 0, runs: 0, posts: 0, reply: null, answered: null, begun: null };

/** What is known of notifications, as entries of the store. */
export function createEntries(store: Store): Journal {
  const read = (id: string): Entry | null => v.parse(v.nullable(Entry), store.read(PREFIX + id));
  function change(id: string, changes: (before: Entry) => Partial<Entry>): Entry {
    const before = read(id) ?? NOTHING;
    const after = { ...before, ...changes(before) };
    store.put(PREFIX + id, after);
    return after;
  }
  return {
    read,
    unfinished: () =>
      store.keys().flatMap((key) => (key.startsWith(PREFIX) ? [key.slice(PREFIX.length)] : [])),
    beginAttempt: (id) =>
      change(id, ({ attempts, runs }) => ({ attempts: attempts + 1, runs: runs + 1 })).attempts,
    refundAttempt: (id) => {
      if (read(id) === null) return;
      change(id, ({ attempts, runs }) => ({
        attempts: Math.max(0, attempts - 1),
        runs: Math.max(0, runs - 1),
      }));
    },
    saveReply: (id, { text, toolCalls }, answers) =>
      void change(id, () => ({ reply: { text, toolCalls, version: answers }, begun: null })),
    startOver: (id) => {
      if (read(id) !== null) change(id, () => ({ attempts: 0, runs: 0, reply: null, begun: null }));
    },
    beginPost: (id, after) => void change(id, () => ({ begun: { at: thisMoment(), after } })),
    markPosted: (id, answered) =>
      void change(id, ({ posts }) => ({ ...NOTHING, posts: posts + 1, answered })),
    markSettled: (id, answered) => void change(id, () => ({ answered })),
    forget: (id) => store.remove(PREFIX + id),
    synced: () => store.synced(),
  };
}

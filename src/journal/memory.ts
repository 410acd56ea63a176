import type { JournalEntry } from '../ports.ts';
import { thisMoment } from './moment.ts';
import type { NotificationJournal } from './notifications.ts';

export interface MemoryJournal extends NotificationJournal {
  has(notificationId: string): boolean;
  /** Goes on from what was known elsewhere. */
  adopt(notificationId: string, known: JournalEntry | null): void;
  clear(): void;
}

/** The journal's part for notifications, for as long as the process lives. */
export function createMemoryJournal(): MemoryJournal {
  const entries = new Map<string, JournalEntry | null>();
  const change = (id: string, changes: (before: JournalEntry) => Partial<JournalEntry>): JournalEntry => {
    const before = entries.get(id) ?? EMPTY;
    const after = { ...before, ...changes(before) };
    entries.set(id, after);
    return after;
  };
  return {
    has: (id) => entries.has(id),
    adopt: (id, known) => void entries.set(id, known),
    clear: () => entries.clear(),
    read: (id) => entries.get(id) ?? null,
    unfinished: () => [...entries].flatMap(([id, entry]) => (entry === null ? [] : [id])),
    beginAttempt: (id) => change(id, ({ attempts }) => ({ attempts: attempts + 1 })).attempts,
    refundAttempt: (id) => void change(id, ({ attempts }) => ({ attempts: Math.max(0, attempts - 1) })),
    saveReply: (id, { text, toolCalls }, version) =>
      void change(id, () => ({ reply: { text, toolCalls, version }, begun: null })),
    startOver: (id) => void change(id, () => ({ attempts: 0, reply: null, begun: null })),
    beginPost: (id, after) => void change(id, () => ({ begun: { at: thisMoment(), after } })),
    markPosted: (id, version) =>
      void change(id, ({ posts }) => ({ ...EMPTY, posts: posts + 1, answered: version })),
    markSettled: (id, version) => void change(id, () => ({ answered: version })),
    forget: (id) => void entries.delete(id),
  };
}

const EMPTY: JournalEntry = { attempts: 0, reply: null, posts: 0, answered: null, begun: null };

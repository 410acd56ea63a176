import * as v from 'valibot';
import { NOTE_REASONS } from '../../machines/notification/notes.ts';
import { isKept, NOTHING_KNOWN, type Entry } from '../../machines/notification/entry.ts';
import { TOOL_OUTCOMES } from '../../machines/shared/acting.ts';
import { TASK_STATUSES } from '../../machines/shared/mission-control.ts';
import { NO_ROUNDS, type Rounds } from '../../machines/shared/rounds.ts';
import { faultOf } from '../../machines/shared/fault.ts';
import type { Store } from '../journal/store.ts';

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
  /** Keeps a reply that cannot be posted, for 35 days. */
  bury(letter: DeadLetter): Promise<void>;
  deadLetters(): DeadLetter[];
}

/** A reply that was paid for and cannot be posted. */
export interface DeadLetter {
  /** For what an agent said in a heartbeat: `heartbeat:` and the agent's id. */
  notificationId: string;
  taskId: string | null;
  agentId: string;
  /** The agent and its task: `engineer · Fix the login bug`. Letters of earlier versions have none. */
  title?: string;
  text: string;
  /** Why it could not be posted. */
  reason: string | null;
  /** When it was given up, in milliseconds since the epoch. */
  at: number;
}

const PREFIX = 'notification:';
export const LETTER_PREFIX = 'deadLetter:';

const version = v.object({ messageId: v.nullable(v.string()), createdAt: v.number() });

/** An entry that a newer version wrote may name a reason that is not known here. */
const toolOutcome = v.picklist(TOOL_OUTCOMES);

/** A status that is not known here is none to expect. */
const taskStatus = v.fallback(v.nullable(v.picklist(TASK_STATUSES)), null);

const noteReason = v.fallback(v.nullable(v.picklist(NOTE_REASONS)), 'attemptsSpent');

const rounds: v.GenericSchema<unknown, Rounds> = v.object({
  count: v.number(),
  earlier: v.array(v.string()),
  calls: v.array(
    v.object({
      call: v.object({ callId: v.string(), name: v.string(), arguments: v.string() }),
      before: taskStatus,
      begun: v.boolean(),
      answer: v.nullable(v.object({ output: v.string(), outcome: toolOutcome })),
    }),
  ),
});

/** Entries of an older version of this program may lack the newer fields. */
const stored: v.GenericSchema<unknown, Partial<Entry>> = v.partial(
  v.object({
    attempts: v.number(),
    spent: v.number(),
    runs: v.number(),
    cuts: v.number(),
    runsFor: v.nullable(version),
    posts: v.number(),
    reply: v.nullable(v.object({ text: v.string(), toolCalls: v.number(), version })),
    answered: v.nullable(version),
    parked: v.nullable(noteReason),
    parkedFor: v.nullable(version),
    rounds: v.fallback(rounds, NO_ROUNDS),
    roundsFor: v.nullable(version),
    begun: v.nullable(
      v.object({ at: v.object({ boot: v.string(), ms: v.number() }), after: v.nullable(v.string()) }),
    ),
  }),
);

export const deadLetter: v.GenericSchema<unknown, DeadLetter> = v.object({
  notificationId: v.string(),
  taskId: v.nullable(v.string()),
  agentId: v.string(),
  title: v.exactOptional(v.string()),
  text: v.string(),
  reason: v.nullable(v.string()),
  at: v.number(),
});

export function createEntries(store: Store): Entries {
  const synced = async (): Promise<void> => {
    try {
      await store.synced();
    } catch (error) {
      if (faultOf(error).kind !== 'journalUnavailable') throw error;
    }
  };
  const keep = (id: string, entry: Entry): void => {
    if (isKept(entry)) store.put(PREFIX + id, entry);
    else store.remove(PREFIX + id);
  };
  return {
    read: (id) => {
      const found = v.safeParse(stored, store.read(PREFIX + id));
      return found.success ? { ...NOTHING_KNOWN, ...found.output } : null;
    },
    unfinished: () =>
      store.keys().flatMap((key) => (key.startsWith(PREFIX) ? [key.slice(PREFIX.length)] : [])),
    keep,
    write: async (id, entry) => {
      keep(id, entry);
      await store.synced();
    },
    writeIfPossible: async (id, entry) => {
      keep(id, entry);
      await synced();
    },
    forget: (id) => store.remove(PREFIX + id),
    bury: async (letter) => {
      store.put(`${LETTER_PREFIX}${letter.notificationId}:${letter.at}`, letter);
      await synced();
    },
    deadLetters: () =>
      store.keys().flatMap((key) => {
        if (!key.startsWith(LETTER_PREFIX)) return [];
        const found = v.safeParse(deadLetter, store.read(key));
        return found.success ? [found.output] : [];
      }),
  };
}

import * as v from 'valibot';
import type { Store } from '../journal/store.ts';
import { syncedIfPossible } from './entries.ts';

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

/** The dead letters in the journal. */
export interface DeadLetters {
  /** Keeps a reply that cannot be posted, for 35 days. Settles when it outlives a power cut, or when the disk fails. */
  bury(letter: DeadLetter): Promise<void>;
  all(): DeadLetter[];
}

export const LETTER_PREFIX = 'deadLetter:';

export const deadLetter: v.GenericSchema<unknown, DeadLetter> = v.object({
  notificationId: v.string(),
  taskId: v.nullable(v.string()),
  agentId: v.string(),
  title: v.exactOptional(v.string()),
  text: v.string(),
  reason: v.nullable(v.string()),
  at: v.number(),
});

export const createDeadLetters = (store: Store): DeadLetters => ({
  async bury(letter) {
    store.put(`${LETTER_PREFIX}${letter.notificationId}:${letter.at}`, letter);
    await syncedIfPossible(store);
  },
  all: () =>
    store.keys().flatMap((key) => {
      if (!key.startsWith(LETTER_PREFIX)) return [];
      const found = v.safeParse(deadLetter, store.read(key));
      return found.success ? [found.output] : [];
    }),
});

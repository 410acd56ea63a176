/** How an entry stands in the journal, read back with care: older and newer versions of this program write there too. */
import * as v from 'valibot';
import { NOTHING_KNOWN, type Entry } from '../../machines/notification/entry.ts';
import { NOTE_REASONS } from '../../machines/notification/notes.ts';
import { TOOL_OUTCOMES } from '../../machines/shared/acting.ts';
import { TASK_STATUSES } from '../../machines/shared/mission-control.ts';
import { NO_ROUNDS, type Rounds } from '../../machines/shared/rounds.ts';

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

/** The entry that the journal's value holds; null for none. */
export function entryIn(value: unknown): Entry | null {
  const found = v.safeParse(stored, value);
  return found.success ? { ...NOTHING_KNOWN, ...found.output } : null;
}

import { findForgottenAttempts } from './checks/attempts.ts';
import { countSecondReplies, findDuplicates } from './checks/duplicates.ts';
import { findLost } from './checks/lost.ts';
import { countNotes, findRashNotes } from './checks/notes.ts';
import { findInversions } from './checks/order.ts';
import { findOverlaps } from './checks/overlap.ts';
import { findLostReplies } from './checks/replies.ts';
import { sortRepeats, type Repeats } from './checks/repeats.ts';
import type { Evidence, Life } from './evidence.ts';
import { createIndex } from './index.ts';
import { storyOf } from './story.ts';

/** What must not happen; --help says what each is. */
export type Guarantee =
  | 'lost'
  | 'duplicate replies'
  | 'order inversions'
  | 'overlapping requests'
  | 'replies lost or run again'
  | 'attempts forgotten'
  | 'unexplained repeats'
  | 'notes before their time'
  | 'rows left in the journal'
  | 'bad exits';

export interface Verdict {
  /** Each case with a sentence that says where to look. */
  broken: Record<Guarantee, string[]>;
  /** What happened to the notifications that a case names, one moment a line. */
  storyOf: (brokenCase: string) => string[];
  kills: number;
  lives: number;
  notifications: number;
  /** Those that the gateway took. */
  runs: number;
  repeats: Repeats;
  /** Notifications that were given up. */
  notes: number;
  /** Replies to a message that was coalesced into a row under way. */
  secondReplies: number;
}

export function judge(evidence: Evidence): Verdict {
  const index = createIndex(evidence);
  const repeats = sortRepeats(index);
  const { lives, runs } = evidence;
  return {
    broken: {
      lost: findLost(index),
      'duplicate replies': findDuplicates(index),
      'order inversions': findInversions(index),
      'overlapping requests': findOverlaps(runs),
      'replies lost or run again': [...findLostReplies(index), ...repeats.tooLate],
      'attempts forgotten': findForgottenAttempts(index),
      'unexplained repeats': repeats.unexplained,
      'notes before their time': findRashNotes(index),
      'rows left in the journal': findLeftRows(lives),
      'bad exits': lives.flatMap(badExit),
    },
    storyOf: (brokenCase) => storyOf(index, brokenCase),
    kills: lives.filter(({ killedAt }) => killedAt !== null).length,
    lives: lives.length,
    notifications: index.rows.length,
    runs: runs.filter(({ begunAt }) => begunAt !== null).length,
    repeats,
    notes: countNotes(index),
    secondReplies: countSecondReplies(index),
  };
}

/** Of the last process, which had nothing left to do. */
function findLeftRows(lives: readonly Life[]): string[] {
  const last = lives.at(-1);
  if (last === undefined || last.killedAt !== null) return [];
  return last.journal.map(({ id }) => `the journal still has ${id} when all is done`);
}

function badExit({ number, killedAt, drainedAt, abortedAt, exitCode, said }: Life): string[] {
  if (killedAt !== null || (drainedAt !== null && exitCode === 0)) return [];
  // Node takes its signal handlers away as it exits: a signal that comes then has nothing left to break.
  if (abortedAt !== null && said.at(-1)?.includes('"runtime.stopped"')) return [];
  return [`process ${number} left with exit code ${exitCode}: ${said.slice(-3).join(' ')}`];
}

/** Whether all that was promised held. */
export const isClean = ({ broken }: Verdict): boolean =>
  Object.values(broken).every((found) => found.length === 0);

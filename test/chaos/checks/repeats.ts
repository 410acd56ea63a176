import type { Life, Run } from '../evidence.ts';
import type { Index } from '../index.ts';

/** Runs whose reply is in no thread, by what happened to them. */
export interface Repeats {
  /** The gateway made them fail. */
  injected: number;
  /** A SIGKILL cut them. */
  cutByKill: number;
  /** A second SIGTERM cut them. */
  cutByAbort: number;
  /** Completed, and the kill came before the journal had the reply. */
  inTheInstant: number;
  /** The longest time from the gateway's last byte to such a kill, in milliseconds. */
  longestInstantMs: number;
  /** The same, but the journal had at least a second to store the reply. */
  tooLate: string[];
  unexplained: string[];
}

/** The most time that parsing and syncing may take on a busy machine, from the last byte to the journal's commit. */
const INSTANT_MS = 1_000;

export function sortRepeats(index: Index): Repeats {
  const repeats: Repeats = {
    injected: 0,
    cutByKill: 0,
    cutByAbort: 0,
    inTheInstant: 0,
    longestInstantMs: 0,
    tooLate: [],
    unexplained: [],
  };
  for (const run of index.runs) {
    if (run.notificationId === null || run.begunAt === null || index.replyOf(run) !== undefined) continue;
    const life = index.lives[run.life - 1];
    if (life !== undefined) sortIn(repeats, run, life);
  }
  return repeats;
}

function sortIn(repeats: Repeats, run: Run, life: Life): void {
  const { killedAt, abortedAt, exitedAt } = life;
  const endedAt = run.endedAt ?? exitedAt;
  const before = (moment: number): string => `${Math.round(moment - endedAt)} ms before the end`;
  const name = `run ${run.id} of ${run.notificationId} in process ${life.number}`;
  if (run.end === 'failed' || run.end === 'reset') repeats.injected += 1;
  // An answer that was sent before the signal may be on its way still.
  else if (abortedAt !== null && endedAt >= abortedAt - INSTANT_MS) repeats.cutByAbort += 1;
  else if (killedAt === null) repeats.unexplained.push(`${name}: ${run.end}, though nobody cut it`);
  // The gateway writes its last bytes also to a process that is dead already.
  else if (endedAt >= killedAt) repeats.cutByKill += 1;
  else if (run.end !== 'completed') repeats.unexplained.push(`${name} was given up ${before(killedAt)}`);
  else if (!life.journal.some(({ reply }) => reply?.startsWith(`reply ${run.id} to `))) {
    repeats.inTheInstant += 1;
    repeats.longestInstantMs = Math.max(repeats.longestInstantMs, killedAt - endedAt);
    if (killedAt - endedAt > INSTANT_MS) {
      repeats.tooLate.push(`${name} was completed ${before(killedAt)}, and is not in the journal`);
    }
  }
}

import type { Life } from '../evidence.ts';
import type { Index } from '../index.ts';
import { lastNoteAt } from './notes.ts';

/**
 * Finds attempts that the journal forgot. When a process is gone, the journal must hold for every undelivered
 * notification at least the runs that were completed or cut by a kill since its last message (a reply or a note). Runs
 * that failed may be missing: trouble of all sessions counts against none of them.
 */
export function findForgottenAttempts(index: Index): string[] {
  const due = index.rows.filter((row) => index.runsOf(row._id).length > 0);
  return index.lives.flatMap((life) => {
    const kept = new Map(life.journal.map(({ id, attempts }) => [id, attempts]));
    return due.flatMap((row) => {
      const { deliveredAt } = index.historyOf(row._id);
      if (deliveredAt !== null && deliveredAt <= life.exitedAt) return [];
      const least = countRuns(index, row._id, life);
      const attempts = kept.get(row._id) ?? 0;
      return attempts < least
        ? [`after process ${life.number} the journal counts ${attempts} of ${least} runs of ${row._id}`]
        : [];
    });
  });
}

function countRuns(index: Index, notificationId: string, until: Life): number {
  const runs = index.runsOf(notificationId).filter(({ startedAt }) => startedAt < until.exitedAt);
  const posted = runs.findLastIndex((run) => {
    const reply = index.replyOf(run);
    return reply !== undefined && index.postedAt(reply) <= until.exitedAt;
  });
  const givenUpAt = lastNoteAt(index, notificationId, until.exitedAt);
  return runs.slice(posted + 1).filter((run) => {
    if (run.startedAt < givenUpAt) return false;
    const life = index.lives[run.life - 1];
    if (life === undefined || (life.abortedAt !== null && run.life === until.number)) return false;
    const cut = run.end === 'disconnected' && life.killedAt !== null && life.abortedAt === null;
    return cut || (run.end === 'completed' && life.abortedAt === null);
  }).length;
}

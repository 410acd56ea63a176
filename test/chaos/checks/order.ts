import type { DumpedNotification } from '../../kits/contract-backend/dump.ts';
import type { Run } from '../evidence.ts';
import type { Index } from '../index.ts';

/**
 * First runs of a session that begin while an older row waits. The order is `createdAt`, then age. A row's place is the
 * one that it had when the runtime last read it before the run, because a row that takes in a newer message moves back.
 */
export function findInversions(index: Index): string[] {
  const sessions = Map.groupBy(index.rows, ({ recipientId, taskId }) => `${recipientId}/${taskId}`);
  return [...sessions.values()].flatMap((rows) => inversionsOf(index, rows));
}

interface FirstRun {
  row: DumpedNotification;
  run: Run;
  /** When the runtime last read the row before it. */
  readAt: number;
}

function inversionsOf(index: Index, rows: DumpedNotification[]): string[] {
  const waiting = new Set(rows);
  const found: string[] = [];
  for (const { row, run, readAt } of firstRuns(index, rows)) {
    waiting.delete(row);
    const place = placeAt(index, row, readAt);
    for (const other of waiting) {
      const { versions, deliveredAt } = index.historyOf(other._id);
      const born = versions[0]?.at ?? Infinity;
      // Rows are in the order of their births: nothing after this one was there.
      if (born > readAt) break;
      if (deliveredAt !== null && deliveredAt < run.startedAt) waiting.delete(other);
      else if (isBefore(placeAt(index, other, readAt), place)) {
        found.push(`run ${run.id} of ${row.type} ${row._id} went before ${other.type} ${other._id}`);
      }
    }
  }
  return found;
}

function firstRuns(index: Index, rows: DumpedNotification[]): FirstRun[] {
  return rows
    .flatMap((row) => {
      const run = index.runsOf(row._id)[0];
      if (run === undefined) return [];
      const read = index.historyOf(row._id).loads.findLast(({ at }) => at <= run.startedAt);
      return [{ row, run, readAt: read?.at ?? run.startedAt }];
    })
    .sort((a, b) => a.run.startedAt - b.run.startedAt);
}

interface Place {
  createdAt: number;
  age: number;
}

function placeAt(index: Index, row: DumpedNotification, at: number): Place {
  const version = index.historyOf(row._id).versions.findLast((candidate) => candidate.at <= at);
  return { createdAt: version?.createdAt ?? row.createdAt, age: row._creationTime };
}

const isBefore = (a: Place, b: Place): boolean =>
  a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.age < b.age);

import type { Run } from '../evidence.ts';

/** Requests of one process in one session that were open at the same time, including those that the gateway refused. */
export function findOverlaps(runs: readonly Run[]): string[] {
  const lines = Map.groupBy(runs, ({ life, session }) => `process ${life}, ${session}`);
  return [...lines].flatMap(([name, line]) =>
    line.flatMap((run, at) => {
      const before = line[at - 1];
      const overlaps = before !== undefined && (before.endedAt ?? Infinity) > run.startedAt;
      return overlaps ? [`run ${run.id} began before run ${before.id} was over (${name})`] : [];
    }),
  );
}

import type { Run } from '../evidence.ts';

/** Requests of one process that were open at once in one session; those that the gateway turned away as well. */
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

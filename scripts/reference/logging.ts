import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { logCallsIn, type LogCall } from './log-calls.ts';
import { code, table } from './table.ts';

const ROOT = join(import.meta.dirname, '../..');

/** One row for each event that the runtime's sources log; lines with the same event are one row. */
export function loggingTable(): string {
  const calls = globSync('src/**/*.ts', { cwd: ROOT })
    .filter((path) => !/\.test(?:-kit)?\.ts$|^src\/(?:local|cli)\//.test(path))
    .sort()
    .flatMap((path) => logCallsIn(path, readFileSync(join(ROOT, path), 'utf8')));
  const events = Map.groupBy(calls, ({ event }) => event);
  const rows = [...events.keys()].sort().map((event) => rowOf(event, events.get(event) ?? []));
  return table([['event', 'level', 'message', 'fields'], ...rows]);
}

function rowOf(event: string, calls: readonly LogCall[]): string[] {
  const all = (read: (call: LogCall) => string | string[]): string[] => [...new Set(calls.flatMap(read))];
  return [
    code(event),
    all(({ level }) => level).join(', '),
    all(({ message }) => message).join(' / '),
    all(({ fields }) => fields)
      .map(code)
      .join(', '),
  ];
}

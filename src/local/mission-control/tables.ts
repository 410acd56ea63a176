import { AsyncLocalStorage } from 'node:async_hooks';
import * as v from 'valibot';

export interface TableWatch {
  /** @returns what the work gives, and the tables that it read */
  reading<T>(work: () => Promise<T>): Promise<{ result: T; tables: ReadonlySet<string> }>;
}

type Syscall = (operation: string, args: string) => unknown;

const WRITES = new Set(['1.0/insert', '1.0/shallowMerge', '1.0/replace', '1.0/remove']);

const argsOf = v.pipe(
  v.string(),
  v.parseJson(),
  v.union([
    v.pipe(
      v.object({ table: v.string() }),
      v.transform(({ table }) => table),
    ),
    v.pipe(
      v.object({ query: v.object({ source: v.object({ indexName: v.string() }) }) }),
      v.transform(({ query }) => query.source.indexName.split('.')[0] ?? ''),
    ),
    v.pipe(
      v.object({ query: v.object({ source: v.object({ tableName: v.string() }) }) }),
      v.transform(({ query }) => query.source.tableName),
    ),
  ]),
);

/**
 * Which tables the functions of convex-test read and write: listens to the system calls that they make, which
 * convex-test keeps in `globalThis.Convex`.
 *
 * @param onWrite told of each write, before its transaction is over
 */
export function watchTables(onWrite: (table: string) => void): TableWatch {
  const readers = new AsyncLocalStorage<Set<string>>();
  const calls: unknown = Reflect.get(globalThis, 'Convex');
  if (typeof calls !== 'object' || calls === null) throw new Error('convex-test has no system calls.');

  const listening =
    (name: string): Syscall =>
    (operation, args) => {
      const table = v.safeParse(argsOf, args);
      if (table.success && WRITES.has(operation)) onWrite(table.output);
      else if (table.success) readers.getStore()?.add(table.output);
      // As it is now: it depends on the function that is running.
      return (Reflect.get(calls, name) as Syscall)(operation, args);
    };
  Reflect.set(globalThis, 'Convex', {
    syscall: listening('syscall'),
    asyncSyscall: listening('asyncSyscall'),
    get jsSyscall() {
      return Reflect.get(calls, 'jsSyscall') as Syscall;
    },
  });
  return {
    async reading(work) {
      const tables = new Set<string>();
      return { result: await readers.run(tables, work), tables };
    },
  };
}

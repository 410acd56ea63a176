/**
 * convex/ in one process, in memory, on convex-test. What that library is not made for is seen to here: it does not
 * tell public functions from internal ones, it has no crons, and whatever runs inside a function's async context
 * counts as part of its transaction. It also reads whole tables and keeps a few bytes of every query for ever: good
 * for a day's work and for tests, not for load.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { convexTest } from 'convex-test';
import { makeFunctionReference } from 'convex/server';
import type { Value } from 'convex/values';
import { internal } from '../../../convex/_generated/api.js';
import type { Id } from '../../../convex/_generated/dataModel.js';
import schema from '../../../convex/schema.ts';
import { loadModules } from './modules.ts';
import type { Modules } from './modules.ts';
import { watchTables } from './tables.ts';

export type FunctionKind = 'query' | 'mutation' | 'action';

export interface FunctionCall {
  kind: FunctionKind;
  /** `module/path:export`, as in `service/actions:listAgents`. */
  path: string;
  args: Record<string, Value>;
}

export interface Seeded {
  accountId: Id<'accounts'>;
  tasks: { _id: Id<'tasks'>; title: string }[];
}

export interface Host {
  /** Runs a public function. @throws what the function throws, or Error when there is no such public function */
  call(call: FunctionCall): Promise<Value>;
  /** Runs a public query as `call` does. @returns also the tables that it read, when it throws too */
  query(call: FunctionCall): Promise<{ result: PromiseSettledResult<Value>; tables: ReadonlySet<string> }>;
  /** @param serviceTokenHash SHA-256 of the token's secret, lower-case hex */
  seed(serviceTokenHash: string): Promise<Seeded>;
  /** The work of the cron in convex/crons.ts. */
  markStaleRuntimesOffline(): Promise<void>;
}

export interface HostOptions {
  /** Told of each table that is written, before the transaction is over. */
  onWrite?: (table: string) => void;
  /** false: the contract alone. */
  extensions?: boolean;
}

export async function createHost({ onWrite, extensions = true }: HostOptions = {}): Promise<Host> {
  const modules = await loadModules();
  const hidden = extensions ? null : 'service/extensions';
  // Every call starts in the context that is here, outside all transactions, whoever makes it.
  const outside = AsyncLocalStorage.snapshot();
  const t = convexTest(
    schema,
    Object.fromEntries(
      Array.from(modules, ([name, module]) => [`/convex/${name}.ts`, () => Promise.resolve(module)]),
    ),
  );
  const watch = watchTables((table) => outside(() => onWrite?.(table)));

  async function run({ kind, path, args }: FunctionCall): Promise<Value> {
    requirePublic(modules, kind, path, hidden);
    if (kind === 'query') {
      return await t.query(makeFunctionReference<'query', typeof args, Value>(path), args);
    }
    if (kind === 'mutation') {
      return await t.mutation(makeFunctionReference<'mutation', typeof args, Value>(path), args);
    }
    return await t.action(makeFunctionReference<'action', typeof args, Value>(path), args);
  }

  return {
    call: (call) => outside(() => run(call)),
    query: (call) =>
      outside(() =>
        watch.reading(async () => {
          const [result] = await Promise.allSettled([run({ ...call, kind: 'query' })]);
          return result;
        }),
      ),
    seed: (serviceTokenHash) => outside(() => t.mutation(internal.seed.demo, { serviceTokenHash })),
    markStaleRuntimesOffline: () =>
      outside(async () => {
        await t.mutation(internal.accounts.markStaleRuntimesOffline, {});
      }),
  };
}

const MARKS = { query: 'isQuery', mutation: 'isMutation', action: 'isAction' } as const;

function requirePublic(modules: Modules, kind: FunctionKind, path: string, hidden: string | null): void {
  const [name = '', exported = 'default'] = path.split(':');
  const module = name === hidden ? undefined : modules.get(name);
  const found = module && Object.hasOwn(module, exported) ? module[exported] : undefined;
  if (typeof found !== 'function' || !hasMark(found, 'isPublic')) {
    throw new Error(`Could not find public function for '${path}'. Look for its name in convex/.`);
  }
  if (!hasMark(found, MARKS[kind])) {
    throw new Error(`'${path}' was called as ${kind}, but it is not one.`);
  }
}

const hasMark = (value: object, mark: string): boolean => Reflect.get(value, mark) === true;

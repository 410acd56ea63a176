/** Runs the functions of convex/ on one database file, with Convex's semantics. */
import { jsonToConvex } from 'convex/values';
import type { JSONValue } from 'convex/values';
import type { HttpProblem } from '../problem.ts';
import { createClock } from './clock.ts';
import { diskProblem } from './disk.ts';
import { asThrown } from './failure.ts';
import {
  fullPath,
  readFunctions,
  type FunctionKind,
  type Modules,
  type RegisteredFunction,
} from './functions.ts';
import { checkCallSize } from './limits.ts';
import { createLock } from './lock.ts';
import { readSchema } from './schema.ts';
import { openStore, type Store } from './store.ts';
import { actionCalls, transactionCalls, type Calls } from './calls.ts';
import { outside, withSyscalls } from './syscalls.ts';
import type { Range, Touch } from './tables.ts';
import { createTransaction, type Transaction } from './transaction.ts';
import { validate } from './validate.ts';

/** Longer than Convex's own limit. A query or mutation that waits for ever must not hold up the others. */
const TRANSACTION_MS = 10_000;

export interface Call {
  kind: FunctionKind;
  /** `module/path:export`, as in `service/actions:listAgents`. */
  path: string;
  /** The encoded arguments: one object. */
  args: JSONValue;
}

/** Who calls: what `ctx.auth` tells of the user, and whether internal functions may be called. */
export interface Caller {
  identity: JSONValue;
  isAdmin: boolean;
}

export const ANYONE: Caller = { identity: null, isAdmin: false };
export const ADMIN: Caller = { identity: null, isAdmin: true };

/** A call from outside, with all the calls that its functions make. */
export interface Request {
  caller: Caller;
  /** Set when the disk failed. Functions may catch the error, but nothing was kept. */
  trouble: HttpProblem | null;
}

export interface Commit {
  at: bigint;
  touches: readonly Touch[];
}

interface QueryResult {
  result: PromiseSettledResult<JSONValue>;
  /** What it read, also when it failed. */
  reads: readonly Range[];
}

export interface Engine {
  readonly store: Store;
  /** Runs a function from outside. @throws what it throws, ConvexErrors with their data */
  call(call: Call, caller?: Caller): Promise<JSONValue>;
  /** Runs a mutation, once for a key however often it is sent. @returns also when it was committed */
  callOnce(call: Call, key: { session: string; request: number }): Promise<{ value: JSONValue; at: bigint }>;
  /** Queries on one state of the data. @returns what the work gives, and the last commit that it saw */
  snapshot<T>(
    work: (query: (call: Call) => Promise<QueryResult>) => Promise<T>,
  ): Promise<{ at: bigint; value: T }>;
  /** Does work in a transaction of its own. */
  write<T>(work: (transaction: Transaction, request: Request) => Promise<T> | T): Promise<T>;
  /** Work that must not meet a write. */
  alone<T>(work: () => Promise<T> | T): Promise<T>;
  /** Runs a function inside a transaction, whoever may call it. */
  perform(call: Call, transaction: Transaction, request: Request): Promise<JSONValue>;
  /** @throws Error when there is no such function */
  find(path: string): RegisteredFunction;
  onCommit(listener: (commit: Commit) => void): void;
  /** When the last commit was, in nanoseconds since the epoch. */
  lastCommit(): bigint;
  close(): void;
}

export interface EngineOptions {
  /** A file, or `:memory:`. */
  path: string;
  modules: Modules;
}

/** @throws Error with one sentence when the schema, a function or the file cannot be used */
export function createEngine({ path, modules }: EngineOptions): Engine {
  const functions = readFunctions(modules);
  const store = openStore(path, readSchema(modules.get('schema')?.['default']));
  const { database } = store;
  const clock = createClock(store);
  const lock = createLock();
  const listeners: ((commit: Commit) => void)[] = [];
  const tableOf = (id: string): string | null => store.tableOf(id)?.name ?? null;

  const begin = (): Transaction => createTransaction(store, () => clock.nextCreationTime());

  /** Runs the handler between the checks of its arguments and of what it returns. */
  async function execute(found: RegisteredFunction, args: JSONValue, calls: Calls): Promise<JSONValue> {
    checkCallSize(JSON.stringify(args), 'arguments');
    validate(found.args, jsonToConvex(args), tableOf, 'ArgumentValidationError');
    try {
      const value = await withSyscalls(calls, () => limited(found, found.invoke(args)));
      checkCallSize(JSON.stringify(value), 'return value');
      if (found.returns) validate(found.returns, jsonToConvex(value), tableOf, 'ReturnsValidationError');
      return value;
    } catch (error) {
      throw asThrown(error);
    } finally {
      calls.end();
    }
  }

  const engine: Engine = {
    store,
    async call(call, caller = ANYONE) {
      const request: Request = { caller, trouble: null };
      try {
        return await outside(() => run(findPublic(call, caller), call.args, request));
      } catch (error) {
        throw request.trouble ?? error;
      }
    },
    async callOnce(call, key) {
      const request: Request = { caller: ANYONE, trouble: null };
      const once = async (transaction: Transaction): Promise<JSONValue> => {
        const earlier = recall(store, key);
        if (earlier) return earlier.value;
        const value = await inTransaction(findPublic(call, ANYONE), call.args, transaction, request);
        remember(store, key, value);
        return value;
      };
      return await outside(() => commit(once, request));
    },
    snapshot: async (work) =>
      await lock.shared(async () => {
        const value = await work(async (call) => {
          const transaction = begin();
          const request: Request = { caller: ANYONE, trouble: null };
          const [result] = await Promise.allSettled([
            outside(() => inTransaction(findPublic(call, ANYONE), call.args, transaction, request)),
          ]);
          return { result, reads: transaction.reads };
        });
        return { at: clock.lastCommit(), value };
      }),
    write: async (work) => {
      const request: Request = { caller: ANYONE, trouble: null };
      return (await commit((transaction) => work(transaction, request), request)).value;
    },
    alone: (work) => lock.exclusive(async () => await work()),
    perform: ({ path: name, args }, transaction, request) =>
      inTransaction(engine.find(name), args, transaction, request),
    find(name) {
      const found = functions.get(fullPath(name));
      if (found) return found;
      throw new Error(`Could not find function for '${name}'. Look for its name in convex/.`);
    },
    onCommit: (listener) => void listeners.push(listener),
    lastCommit: () => clock.lastCommit(),
    close: () => database.close(),
  };

  function findPublic({ kind, path: name }: Call, { isAdmin }: Caller): RegisteredFunction {
    const found = functions.get(fullPath(name));
    if (!found || !(found.isPublic || isAdmin)) {
      throw new Error(`Could not find public function for '${name}'. Look for its name in convex/.`);
    }
    if (found.kind !== kind) throw new Error(`'${name}' was called as ${kind}, but it is not one.`);
    return found;
  }

  /** A function in a transaction of its own, or an action. */
  async function run(found: RegisteredFunction, args: JSONValue, request: Request): Promise<JSONValue> {
    if (found.kind === 'action') return await execute(found, args, actionCalls({ engine, run, request }));
    if (found.kind === 'query') {
      return await lock.shared(() => inTransaction(found, args, begin(), request));
    }
    return (await commit((transaction) => inTransaction(found, args, transaction, request), request)).value;
  }

  const inTransaction = (
    found: RegisteredFunction,
    args: JSONValue,
    transaction: Transaction,
    request: Request,
  ): Promise<JSONValue> =>
    execute(found, args, transactionCalls({ engine, found, transaction, request, nested }));

  /** A mutation inside another. If it fails, only its own writes are rolled back. */
  async function nested(
    found: RegisteredFunction,
    args: JSONValue,
    transaction: Transaction,
    request: Request,
  ): Promise<JSONValue> {
    if (found.kind === 'query') return await inTransaction(found, args, transaction, request);
    const before = transaction.touches.length;
    database.exec('SAVEPOINT nested');
    try {
      const value = await inTransaction(found, args, transaction, request);
      database.exec('RELEASE nested');
      return value;
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK TO nested; RELEASE nested');
      transaction.touches.length = before;
      throw error;
    }
  }

  async function commit<T>(
    work: (transaction: Transaction) => Promise<T> | T,
    request: Request,
  ): Promise<{ value: T; at: bigint }> {
    const transaction = begin();
    const { touches } = transaction;
    return await lock.exclusive(async () => {
      try {
        database.exec('BEGIN IMMEDIATE');
        const value = await work(transaction);
        // A function that caught the disk's error has not saved its work by that.
        if (request.trouble) throw request.trouble;
        database.exec('COMMIT');
        const at = touches.length > 0 ? clock.nextCommit() : clock.lastCommit();
        // Listeners hear of the commit before anybody can read it.
        if (touches.length > 0) for (const listener of listeners) listener({ at, touches });
        return { value, at };
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw (request.trouble ??= diskProblem(error)) ?? error;
      }
    });
  }

  return engine;
}

/** @throws Error when a query or a mutation takes too long */
async function limited<T>({ kind, path }: RegisteredFunction, work: Promise<T>): Promise<T> {
  if (kind === 'action') return await work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `${path} timed out: a ${kind} may take ${TRANSACTION_MS / 1000} s. Only actions wait for things.`;
    timer = setTimeout(() => reject(new Error(message)), TRANSACTION_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Key {
  session: string;
  request: number;
}

/** A client sends a mutation again only while it is the same session: soon. */
const REMEMBERED_MS = 24 * 60 * 60 * 1000;

function recall({ database }: Store, { session, request }: Key): { value: JSONValue } | null {
  const found = database
    .prepare('SELECT answer FROM answers WHERE session = ? AND request = ?')
    .get(session, request) as { answer: string } | undefined;
  return found ? { value: JSON.parse(found.answer) as JSONValue } : null;
}

function remember({ database }: Store, { session, request }: Key, value: JSONValue): void {
  const now = Date.now();
  database.prepare('DELETE FROM answers WHERE at < ?').run(now - REMEMBERED_MS);
  database
    .prepare('INSERT INTO answers (session, request, at, answer) VALUES (?, ?, ?, ?)')
    .run(session, request, now, JSON.stringify(value));
}

/** The calls that a running function can make, by what kind of function it is. */
import type { JSONValue } from 'convex/values';
import { readRows, requireTable, runQuery } from './cursor.ts';
import { diskProblem } from './disk.ts';
import type { Engine, Request } from './engine.ts';
import { rangeOf, type Query } from './expressions.ts';
import { forCaller } from './failure.ts';
import type { RegisteredFunction } from './functions.ts';
import { readPage, type PageRequest } from './paginate.ts';
import { cancelJob, scheduleJob, type JobRequest } from './jobs.ts';
import type { Syscalls } from './syscalls.ts';
import type { Transaction } from './transaction.ts';

export interface Calls extends Syscalls {
  /** What the function calls after this is refused. */
  end(): void;
}

type Handlers = Readonly<Record<string, ((args: never) => unknown) | undefined>>;

interface FunctionAddress {
  name?: string;
  args: JSONValue;
}

type Run = (found: RegisteredFunction, args: JSONValue, request: Request) => Promise<JSONValue>;

/** An action has no transaction. Each of its calls has one of its own. */
export function actionCalls({ engine, run, request }: { engine: Engine; run: Run; request: Request }): Calls {
  const call = (args: FunctionAddress): Promise<JSONValue> =>
    run(engine.find(nameOf(args)), args.args, request);
  return createCalls(request, {
    '1.0/actions/query': call,
    '1.0/actions/mutation': call,
    '1.0/actions/action': call,
    '1.0/actions/schedule': (args: JobRequest) =>
      engine.write((transaction) => scheduleJob(engine, transaction, { ...args, name: nameOf(args) })),
    '1.0/actions/cancel_job': ({ id }: { id: string }) =>
      engine.write((transaction) => cancelJob(transaction, id)),
    '1.0/getUserIdentity': () => request.caller.identity,
  });
}

interface Surroundings {
  engine: Engine;
  found: RegisteredFunction;
  transaction: Transaction;
  request: Request;
  /** Runs another function in the same transaction. */
  nested: (
    found: RegisteredFunction,
    args: JSONValue,
    transaction: Transaction,
    request: Request,
  ) => Promise<JSONValue>;
}

export function transactionCalls({ engine, found, transaction, request, nested }: Surroundings): Calls {
  const { store } = transaction;
  const queries = new Map<number, Generator<string>>();
  let hasPaginated = false;
  const reading: Handlers = {
    '1.0/queryStream': ({ query }: { query: Query }) => {
      const queryId = queries.size;
      queries.set(queryId, runQuery(transaction, query));
      return { queryId };
    },
    '1.0/queryCleanup': ({ queryId }: { queryId: number }) => {
      queries.get(queryId)?.return(undefined);
      return {};
    },
    '1.0/queryStreamNext': ({ queryId }: { queryId: number }) => {
      const next = queries.get(queryId)?.next();
      return new Text(
        next?.done === false ? `{"value":${next.value},"done":false}` : '{"value":null,"done":true}',
      );
    },
    '1.0/queryPage': (args: PageRequest) => {
      if (hasPaginated)
        throw new Error('This function ran more than one paginated query, which Convex does not allow.');
      hasPaginated = true;
      const { page, ...rest } = readPage(transaction, args);
      return new Text(`${JSON.stringify(rest).slice(0, -1)},"page":[${page.join(',')}]}`);
    },
    '1.0/count': ({ table }: { table: string }) => {
      const range = rangeOf(requireTable(store, table), 'by_creation_time', []);
      return [...readRows(transaction, range, 'asc')].length;
    },
    '1.0/get': ({ id, table, isSystem }: { id: string; table?: string; isSystem: boolean }) => {
      requireSide(store.tableOf(id)?.name, isSystem);
      return new Text(transaction.get(id, table) ?? 'null');
    },
    '1.0/db/normalizeId': ({ table, idString }: { table: string; idString: string }) => ({
      id: store.tableOf(idString)?.name === table ? idString : null,
    }),
    '1.0/getUserIdentity': () => request.caller.identity,
    '1.0/getFunctionMetadata': () => ({ name: found.path, componentPath: '' }),
  };
  const writing: Handlers = {
    '1.0/insert': ({ table, value }: { table: string; value: JSONValue }) => ({
      _id: transaction.insert(table, value),
    }),
    '1.0/shallowMerge': ({ id, table, value }: Change) => {
      transaction.patch(id, value, table);
      return {};
    },
    '1.0/replace': ({ id, table, value }: Change) => {
      transaction.replace(id, value, table);
      return {};
    },
    '1.0/remove': ({ id, table }: Change) => {
      transaction.remove(id, table);
      return {};
    },
    '1.0/schedule': (args: JobRequest) => scheduleJob(engine, transaction, { ...args, name: nameOf(args) }),
    '1.0/cancel_job': ({ id }: { id: string }) => cancelJob(transaction, id),
  };
  const calling: Handlers = {
    '1.0/runUdf': ({ udfType, ...args }: FunctionAddress & { udfType: string }) => {
      const target = engine.find(nameOf(args));
      if (target.kind !== udfType) throw new Error(`${target.path} is no ${udfType}.`);
      return nested(target, args.args, transaction, request);
    },
  };
  return createCalls(request, { ...reading, ...(found.kind === 'mutation' && writing), ...calling });
}

interface Change {
  id: string;
  table?: string;
  value: JSONValue;
}

/** JSON already. */
class Text {
  readonly json: string;
  constructor(json: string) {
    this.json = json;
  }
}

/**
 * Calls are refused after the function's end. They are also refused while a function that this one called is running,
 * because that one has the transaction.
 */
function createCalls(request: Request, handlers: Handlers): Calls {
  let hasEnded = false;
  let callee: Promise<unknown> | null = null;

  function handle(operation: string, args: string): unknown {
    if (hasEnded)
      throw new Error('The function that makes this call has ended: it did not wait for all of its work.');
    if (args.includes('"$commitTs":null')) throw new Error(`Commit timestamps ${NOT_HERE}`);
    const handler = handlers[operation];
    if (!handler) throw new Error(`The call ${operation} ${NOT_HERE}`);
    return Reflect.apply(handler, null, [JSON.parse(args)]);
  }

  async function inTurn(operation: string, args: string): Promise<unknown> {
    while (callee) await Promise.allSettled([callee]);
    if (operation !== '1.0/runUdf') return handle(operation, args);
    callee = Promise.resolve(handle(operation, args)).finally(() => {
      callee = null;
    });
    return await callee;
  }

  return {
    syscall: (operation, args) => JSON.stringify(handle(operation, args)),
    async asyncSyscall(operation, args) {
      try {
        const result = await inTurn(operation, args);
        return result instanceof Text ? result.json : JSON.stringify(result);
      } catch (error) {
        request.trouble ??= diskProblem(error);
        throw forCaller(request.trouble ?? error);
      }
    },
    end: () => {
      hasEnded = true;
    },
  };
}

const NOT_HERE = 'are not there in the local Mission Control for this kind of function.';

function nameOf({ name }: { name?: string }): string {
  if (name !== undefined) return name;
  throw new Error('Components and function handles are not there in the local Mission Control.');
}

function requireSide(table: string | undefined, isSystem: boolean): void {
  if (table !== undefined && table.startsWith('_') !== isSystem) {
    throw new Error(`Table ${table} is read with ${isSystem ? 'db.get' : 'db.system.get'}.`);
  }
}

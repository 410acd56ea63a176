/** convex/ on this project's own engine, with the face that convex-test has: its tests run on both. */
import type { TestConvex } from 'convex-test';
import { getFunctionName, internalMutationGeneric, type FunctionReference } from 'convex/server';
import { convexToJson, jsonToConvex, type Value } from 'convex/values';
import { createEngine } from '../../../src/local/mission-control/engine/engine.ts';
import type { FunctionKind } from '../../../src/local/mission-control/engine/functions.ts';
import { startScheduler } from '../../../src/local/mission-control/engine/scheduler.ts';
import { loadModules } from '../../../src/local/mission-control/modules.ts';
import type schema from '../../../convex/schema.ts';

export type TestBackend = Pick<TestConvex<typeof schema>, 'query' | 'mutation' | 'action' | 'run'>;

type Handler = Parameters<TestBackend['run']>[0];

/** `local`: the engine of the local Mission Control; anything else: convex-test. */
export const ENGINE = process.env['CONVEX_ENGINE'];

const ADMIN = { identity: null, isAdmin: true };

/** In memory, empty. */
export async function localBackend(): Promise<TestBackend> {
  let handler: Handler = () => Promise.resolve(null);
  let result: unknown;
  /** Runs what a test hands over, in a transaction. */
  const run = internalMutationGeneric({
    args: {},
    handler: async (ctx) => {
      result = await handler(ctx);
    },
  });
  const modules = new Map([...(await loadModules()), ['testing', { run }]]);
  const engine = createEngine({ path: ':memory:', modules });
  await startScheduler(engine, modules, () => undefined);
  const call = async (kind: FunctionKind, path: string, args: Record<string, Value>): Promise<Value> =>
    jsonToConvex(await engine.call({ kind, path, args: convexToJson(args) }, ADMIN));
  const caller =
    (kind: FunctionKind) =>
    (reference: FunctionReference<FunctionKind, 'public' | 'internal'>, args: Record<string, Value> = {}) =>
      call(kind, getFunctionName(reference), args);
  const backend = {
    query: caller('query'),
    mutation: caller('mutation'),
    action: caller('action'),
    async run(next: Handler) {
      handler = next;
      await call('mutation', 'testing:run', {});
      return result;
    },
  };
  return backend as unknown as TestBackend;
}

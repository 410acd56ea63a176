/** The engines that run Convex functions, behind one small face: convex-test is the oracle. */
import { convexTest } from 'convex-test';
import { makeFunctionReference } from 'convex/server';
import { convexToJson, jsonToConvex, type Value } from 'convex/values';
import { createEngine } from '../../../src/local/mission-control/engine/engine.ts';
import type { FunctionKind, Modules } from '../../../src/local/mission-control/engine/functions.ts';
import { startScheduler } from '../../../src/local/mission-control/engine/scheduler.ts';
import * as programs from './functions/programs.ts';
import schema from './functions/schema.ts';
import * as values from './functions/values.ts';

export interface TestEngine {
  call(kind: FunctionKind, path: string, args: Record<string, Value>): Promise<Value>;
  close(): void;
}

export const modules: Modules = new Map<string, Record<string, unknown>>([
  ['schema', { default: schema }],
  ['programs', { ...programs }],
  ['values', { ...values }],
]);

export function oracle(): TestEngine {
  const t = convexTest(schema, {
    './_generated/api.ts': () => Promise.resolve({}),
    './programs.ts': () => Promise.resolve(programs),
    './values.ts': () => Promise.resolve(values),
  });
  return {
    call: async (kind, path, args) =>
      kind === 'query'
        ? ((await t.query(makeFunctionReference<'query'>(path), args)) as Value)
        : kind === 'mutation'
          ? ((await t.mutation(makeFunctionReference<'mutation'>(path), args)) as Value)
          : ((await t.action(makeFunctionReference<'action'>(path), args)) as Value),
    close: () => undefined,
  };
}

/** @param path a database file; in memory when absent */
export async function local(path = ':memory:'): Promise<TestEngine> {
  const engine = createEngine({ path, modules });
  const scheduler = await startScheduler(engine, modules, () => undefined);
  return {
    call: async (kind, path, args) =>
      jsonToConvex(await engine.call({ kind, path, args: convexToJson(args) })),
    close() {
      scheduler.stop();
      engine.close();
    },
  };
}

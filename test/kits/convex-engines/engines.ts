/**
 * The engines that run Convex functions, behind one small face: convex-test is the oracle. A real deployment takes part
 * when CONVEX_SELF_HOSTED_URL and CONVEX_SELF_HOSTED_ADMIN_KEY are set.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convexTest } from 'convex-test';
import { ConvexHttpClient } from 'convex/browser';
import { makeFunctionReference } from 'convex/server';
import { convexToJson, jsonToConvex, type Value } from 'convex/values';
import { createEngine } from '../../../src/local/mission-control/engine/engine.ts';
import type { FunctionKind, Modules } from '../../../src/local/mission-control/engine/functions.ts';
import { startScheduler } from '../../../src/local/mission-control/engine/scheduler.ts';
import { createBackendServer } from '../../../src/local/mission-control/server.ts';
import * as programs from './functions/programs.ts';
import schema from './functions/schema.ts';
import * as values from './functions/values.ts';

export interface TestEngine {
  call(kind: FunctionKind, path: string, args: Record<string, Value>): Promise<Value>;
  close(): unknown;
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

/** Over HTTP, as clients speak to any deployment. */
function remote(url: string, close: () => unknown): TestEngine {
  const client = new ConvexHttpClient(url, { skipConvexDeploymentUrlCheck: true, logger: false });
  return {
    async call(kind, path, args) {
      if (kind === 'query') return (await client.query(makeFunctionReference<'query'>(path), args)) as Value;
      // Calls run at the same time, not one behind another.
      const mutation = makeFunctionReference<'mutation'>(path);
      if (kind === 'mutation') return (await client.mutation(mutation, args, { skipQueue: true })) as Value;
      return (await client.action(makeFunctionReference<'action'>(path), args)) as Value;
    },
    close,
  };
}

/** This engine, behind its server. */
export async function served(): Promise<TestEngine> {
  const engine = createEngine({ path: ':memory:', modules });
  const scheduler = await startScheduler(engine, modules, () => undefined);
  const server = createBackendServer({ engine, adminKey: 'none', faults: null, log: () => undefined });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return remote(`http://127.0.0.1:${port}`, () => {
    server.closeAllConnections();
    server.close();
    scheduler.stop();
    engine.close();
  });
}

const { CONVEX_SELF_HOSTED_URL: realUrl, CONVEX_SELF_HOSTED_ADMIN_KEY: realKey } = process.env;

/** A real deployment to deploy the suite's functions to, which replaces what is deployed there; null for none. */
export const realDeployment = realUrl && realKey ? { url: realUrl, key: realKey } : null;

/** Deploys the suite's functions. @throws Error with the tool's words */
export function deployed({ url, key }: { url: string; key: string }): TestEngine {
  const root = join(import.meta.dirname, '../../..');
  const project = mkdtempSync(join(tmpdir(), 'convex-suite-'));
  try {
    cpSync(join(import.meta.dirname, 'functions'), join(project, 'convex'), { recursive: true });
    writeFileSync(join(project, 'package.json'), '{"type":"module"}');
    symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
    const cli = join(root, 'node_modules/convex/bin/main.js');
    const flags = ['deploy', '--yes', '--typecheck', 'disable', '--codegen', 'disable'];
    const { status, stderr } = spawnSync(process.execPath, [cli, ...flags], {
      cwd: project,
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        CI: '1',
        CONVEX_SELF_HOSTED_URL: url,
        CONVEX_SELF_HOSTED_ADMIN_KEY: key,
      },
    });
    if (status !== 0) throw new Error(stderr.replaceAll(key, '***'));
  } finally {
    rmSync(project, { recursive: true });
  }
  return remote(url, () => undefined);
}

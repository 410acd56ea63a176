/** The Convex functions of Mission Control itself, from a checkout of its own, on convex-test. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { convexTest } from 'convex-test';
import type { GenericSchema, SchemaDefinition } from 'convex/server';
import { onTestFinished } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** Where the checkout is, or why there is none. */
export function findUpstream(): { checkout: string } | { missing: string } {
  const checkout = process.env['UPSTREAM_CHECKOUT'];
  return checkout === undefined || checkout === ''
    ? { missing: 'UPSTREAM_CHECKOUT names no checkout of openclaw-mission-control.' }
    : { checkout };
}

/**
 * Its functions run from a copy inside this repository, where `convex` is found; what they take from `@packages/shared`
 * is next to them.
 */
export async function upstreamFunctions(checkout: string) {
  mkdirSync(join(ROOT, '.runtime'), { recursive: true });
  const dir = mkdtempSync(join(ROOT, '.runtime/upstream-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const convex = join(dir, 'convex');
  cpSync(join(checkout, 'packages/backend/convex'), convex, { recursive: true });
  cpSync(join(checkout, 'packages/shared/src'), join(dir, 'shared'), { recursive: true });
  const files = readdirSync(convex, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|js)$/.test(name) && !/\.test\.ts$|\.d\.ts$|^auth\.config/.test(name))
    .map((name) => join(convex, name));
  for (const file of files) {
    const shared = relative(dirname(file), join(dir, 'shared/index.ts'));
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replaceAll(/(['"])@packages\/shared\1/g, JSON.stringify(shared)));
  }
  const load = (file: string): Promise<unknown> => import(pathToFileURL(file).href);
  const modules = Object.fromEntries(
    files.map((file) => [`/convex/${relative(convex, file)}`, () => load(file)]),
  );
  const { default: schema } = (await load(join(convex, 'schema.ts'))) as {
    default: SchemaDefinition<GenericSchema, boolean>;
  };
  return convexTest(schema, modules);
}

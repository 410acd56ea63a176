import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineSchema, defineTable, makeFunctionReference, mutationGeneric } from 'convex/server';
import type { GenericDataModel, GenericMutationCtx } from 'convex/server';
import { v, type JSONValue } from 'convex/values';
import { expect, onTestFinished, test } from 'vitest';
import { modules } from '../../../../test/kits/convex-engines/engines.ts';
import { until } from '../../../../test/kits/until.ts';
import { createEngine, type Engine } from './engine.ts';
import type { Modules } from './functions.ts';
import { touchesAny } from './reads.ts';
import { startScheduler } from './scheduler.ts';

type Context = GenericMutationCtx<GenericDataModel>;

const addLater = makeFunctionReference<'mutation'>('values:addThing');

function temporaryFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'engine-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, 'data.sqlite');
}

function open(path = ':memory:', from = modules): Engine {
  const engine = createEngine({ path, modules: from });
  onTestFinished(() => {
    if (engine.store.database.isOpen) engine.close();
  });
  return engine;
}

const mutate = (engine: Engine, path: string, args: JSONValue): Promise<JSONValue> =>
  engine.call({ kind: 'mutation', path, args });

async function addThings(engine: Engine, count: number): Promise<void> {
  for (let label = 0; label < count; label++) await mutate(engine, 'values:addThing', { label });
}

const countOf = (engine: Engine, label: number): Promise<JSONValue> =>
  engine.call({ kind: 'query', path: 'values:countThings', args: { label } });

/** The functions of the suite and one of a test's own, `own:run`. */
const withHandler = (handler: (ctx: Context) => unknown): Modules =>
  new Map([...modules, ['own', { run: mutationGeneric({ args: {}, handler }) }]]);

const runOwn = (handler: (ctx: Context) => unknown): Promise<JSONValue> =>
  mutate(open(undefined, withHandler(handler)), 'own:run', {});

test('a query by index reads only what it returns, however large the table is', async () => {
  const engine = open();
  await addThings(engine, 300);
  const read = (path: string, args: JSONValue): Promise<number> =>
    engine.write(async (transaction, request) => {
      await engine.perform({ kind: 'query', path, args }, transaction, request);
      return transaction.usage.documentsRead;
    });
  const base = { equals: [], lower: null, upper: null, take: null, filter: null };
  const reading = { ...base, index: 'by_label', order: 'desc' };
  expect(await read('values:countThings', { label: 7 })).toBe(1);
  expect(await read('programs:readOne', { reading: { ...reading, equals: [{ value: 3 }] } })).toBe(1);
  expect(
    await read('programs:readOne', { reading: { ...reading, lower: { op: 'gte', to: { value: 290 } } } }),
  ).toBe(10);
  // One more, to know whether there is more.
  expect(await read('programs:page', { reading, cursor: null, numItems: 5 })).toBe(6);
});

test('a commit touches a query exactly when it can change what the query read', async () => {
  const engine = open();
  await addThings(engine, 3);
  const readsOf = async (label: number) => {
    const call = { kind: 'query', path: 'values:countThings', args: { label } } as const;
    return (await engine.snapshot((query) => query(call))).value.reads;
  };
  const [one, none] = [await readsOf(1), await readsOf(9)];
  const seen: [boolean, boolean][] = [];
  engine.onCommit(({ touches }) => seen.push([touchesAny(one, touches), touchesAny(none, touches)]));
  await mutate(engine, 'values:addThing', { label: 2 });
  await mutate(engine, 'values:increment', { label: 1 });
  await mutate(engine, 'values:addThing', { label: 9 });
  await mutate(engine, 'programs:run', { steps: [{ do: 'remove', label: 1 }], fails: false });
  expect(seen).toEqual([
    [false, false],
    [true, false],
    [false, true],
    [true, false],
  ]);
});

test('everything is there after the file is opened again, and times and ids go on', async () => {
  const path = temporaryFile();
  const first = open(path);
  await addThings(first, 2);
  first.close();
  const again = open(path);
  await mutate(again, 'values:addThing', { label: 0 });
  expect(await countOf(again, 0)).toBe(2);
});

test('a mutation that is sent again with its key is done once, also after a restart', async () => {
  const path = temporaryFile();
  const call = { kind: 'mutation', path: 'values:increment', args: { label: 1 } } as const;
  const key = { session: 's', request: 1 };
  const first = open(path);
  expect((await first.callOnce(call, key)).value).toBe(1);
  first.close();
  const again = open(path);
  expect((await again.callOnce(call, key)).value).toBe(1);
  expect((await again.callOnce(call, { ...key, request: 2 })).value).toBe(2);
});

test.each<[string, (path: string) => void, string]>([
  [
    'no database',
    (path) => writeFileSync(path, 'garbage '.repeat(500)),
    'it is not a database; move it away',
  ],
  ['opened by another', (path) => void open(path), 'another process has it open; stop that one first'],
])('a file that is %s is named in one sentence', (_name, prepare, words) => {
  const path = temporaryFile();
  prepare(path);
  expect(() => createEngine({ path, modules })).toThrow(`The database ${path} cannot be used: ${words}`);
});

const schemaModules = (table: ReturnType<typeof defineTable>): Modules =>
  new Map([...modules, ['schema', { default: defineSchema({ things: table }) }]]);

test('documents that do not fit another schema are named, and nothing is changed', async () => {
  const path = temporaryFile();
  const first = open(path);
  await addThings(first, 12);
  first.close();
  const narrower = schemaModules(defineTable({ label: v.string() }).index('by_label', ['label']));
  const opening = (): Engine => createEngine({ path, modules: narrower });
  expect(opening).toThrow(/^12 documents do not fit schema.ts; none was changed\./);
  expect(opening).toThrow(
    /things \w{32}: Value does not match validator\. Path: \.label Value: 0 [^]*\n {2}and 2 more$/,
  );
  expect(await countOf(open(path), 5)).toBe(1);
});

test('an index that is new is built, one that is gone is dropped', async () => {
  const path = temporaryFile();
  const first = open(path);
  await addThings(first, 3);
  first.close();
  const wider = schemaModules(defineTable({ label: v.number(), more: v.optional(v.string()) }));
  const without = open(path, wider);
  await expect(countOf(without, 1)).rejects.toThrow('Index things.by_label not found');
  without.close();
  expect(await countOf(open(path), 1)).toBe(1);
});

test.each<[string, (ctx: Context) => unknown, string]>([
  [
    'a document over 1 MiB',
    ({ db }) => db.insert('things', { label: 1, a: 'x'.repeat(1_048_577) }),
    'Value is too large',
  ],
  [
    'a list of 8,193',
    ({ db }) => db.insert('things', { label: 1, a: Array(8_193).fill(0) }),
    'Array length is too long',
  ],
  [
    'an underscore',
    ({ db }) => db.insert('things', { label: 1, _x: 1 }),
    "Field '_x' starts with an underscore",
  ],
  ['another table', ({ db }) => db.insert('nope', {}), "Table 'nope' is not declared in schema.ts"],
  [
    'an index that is not there',
    ({ db }) => db.query('things').withIndex('by_no').take(1),
    'Index things.by_no not found',
  ],
  [
    'a search',
    ({ db }) =>
      db
        .query('things')
        .withSearchIndex('s', (q) => q.search('a', 'b'))
        .take(1),
    'Search indexes are not there',
  ],
  [
    'a commit timestamp',
    ({ db }) => db.insert('things', { label: 1, a: db.vars.commitTs }),
    'Commit timestamps are not there',
  ],
  ['a file', ({ storage }) => storage.generateUploadUrl(), 'storageGenerateUploadUrl are not there'],
  [
    'more than 1,000 functions scheduled',
    async ({ scheduler }) => {
      for (let n = 0; n <= 1_000; n++) await scheduler.runAfter(0, addLater, { label: n });
    },
    'Too many functions scheduled in a single function execution (limit: 1000)',
  ],
  [
    'a function that is not there',
    ({ scheduler }) => scheduler.runAfter(0, makeFunctionReference<'mutation'>('values:nope'), {}),
    "Could not find function for 'values:nope'",
  ],
])('refuses %s, and says why', async (_name, handler, words) => {
  await expect(runOwn(handler)).rejects.toThrow(words);
});

test('no more than 32,000 documents are read in one function', async () => {
  const engine = open(
    undefined,
    withHandler(async ({ db }) => {
      for (let n = 0; n < 200; n++) await db.query('things').collect();
    }),
  );
  await addThings(engine, 200);
  await expect(mutate(engine, 'own:run', {})).rejects.toThrow('Too many documents read');
});

test('work that goes on after its function has ended is refused, and nothing of it stays', async () => {
  let late: Promise<unknown> = Promise.resolve();
  const engine = open(
    undefined,
    withHandler(({ db }) => {
      late = new Promise((resolve) => setImmediate(resolve)).then(() => db.insert('things', { label: 1 }));
      late.catch(() => undefined);
      return null;
    }),
  );
  await mutate(engine, 'own:run', {});
  await expect(late).rejects.toThrow('has ended');
  expect(await countOf(engine, 1)).toBe(0);
});

const idOf = (value: JSONValue): string => (typeof value === 'string' ? value : '');

test('what is scheduled survives a restart; an action that was under way has failed', async () => {
  const path = temporaryFile();
  const first = open(path);
  const id = await mutate(first, 'values:schedule', { label: 1, inMs: 0, fails: false });
  const begun = await mutate(first, 'values:schedule', { label: 2, inMs: 0, fails: false });
  await first.write((transaction) => transaction.patch(idOf(begun), { state: { kind: 'inProgress' } }));
  first.close();

  const again = open(path);
  const scheduler = await startScheduler(again, modules, () => undefined);
  onTestFinished(() => scheduler.stop());
  await until('It ran', async () => (await countOf(again, 1)) === 1);
  const state = (job: JSONValue) => again.call({ kind: 'query', path: 'values:jobState', args: { id: job } });
  expect([await state(id), await state(begun), await countOf(again, 2)]).toEqual(['success', 'failed', 0]);
});

test('a cron runs when it is due, and a restart does not put it off', async () => {
  const path = temporaryFile();
  const cron = { name: 'values:addThing', args: [{ label: 77 }], schedule: { type: 'interval', hours: 1 } };
  const withCron: Modules = new Map([
    ...modules,
    ['crons', { default: { export: () => JSON.stringify({ hourly: cron }) } }],
  ]);
  const first = open(path, withCron);
  (await startScheduler(first, withCron, () => undefined)).stop();
  expect(await countOf(first, 77)).toBe(0);
  // An hour later.
  first.store.database.exec('UPDATE crons SET due = due - 3600000');
  first.close();

  const again = open(path, withCron);
  const scheduler = await startScheduler(again, withCron, () => undefined);
  onTestFinished(() => scheduler.stop());
  await until('It ran', async () => (await countOf(again, 77)) === 1);
});

test.each([
  ['http', 'HTTP actions'],
  ['convex.config', 'components'],
])('a convex/ with %s is refused by name', (name, feature) => {
  const more: Modules = new Map([...modules, [name, {}]]);
  expect(() => createEngine({ path: ':memory:', modules: more })).toThrow(`convex/${name} needs ${feature}`);
});

test('a schema with a search index, or none at all, is refused by name', () => {
  const table = defineTable({ text: v.string() }).searchIndex('by_text', { searchField: 'text' });
  expect(() => createEngine({ path: ':memory:', modules: schemaModules(table) })).toThrow(
    'Table things has search indexes.',
  );
  expect(() => createEngine({ path: ':memory:', modules: new Map() })).toThrow(
    'schema.ts has no default export',
  );
});

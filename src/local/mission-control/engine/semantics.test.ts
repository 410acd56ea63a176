import type { Value } from 'convex/values';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  deployed,
  local,
  oracle,
  realDeployment,
  served,
  type TestEngine,
} from '../../../../test/kits/convex-engines/engines.ts';
import { until } from '../../../../test/kits/until.ts';

const real = realDeployment;

const ENGINES: [name: string, start: () => Promise<TestEngine>][] = [
  ['convex-test', () => Promise.resolve(oracle())],
  ['this engine', () => local()],
  ['this engine over HTTP', () => served()],
  ...(real
    ? [['a real deployment', () => Promise.resolve(deployed(real))] satisfies (typeof ENGINES)[number]]
    : []),
];

const TYPED = { name: 'n', count: 3n, data: new ArrayBuffer(2), kind: 'x', tags: { a: true } };

describe.each(ENGINES)('%s', (_, start) => {
  let engine: TestEngine;
  beforeEach(async () => {
    engine = await start();
  });
  afterEach(() => engine.close());

  const query = (path: string, args: Record<string, Value>) => engine.call('query', `values:${path}`, args);
  const mutation = (path: string, args: Record<string, Value>) =>
    engine.call('mutation', `values:${path}`, args);
  const countThings = (label: number) => query('countThings', { label });

  test.each<[string, Value]>([
    ['a number', 1.5],
    ['minus zero', -0],
    ['infinity', Infinity],
    ['a bigint', -(2n ** 63n)],
    ['bytes', new Uint8Array([0, 255]).buffer],
    ['a list', [null, true, 'é😀\0']],
    ['an object', { b: 1, a: { c: [] } }],
  ])('carries %s there and back', async (_name, value) => {
    expect(await query('echo', { value })).toEqual(value);
  });

  test.each([
    ['a missing argument', { maybe: 'x' }],
    ['another type', { n: 'one' }],
    ['an extra argument', { n: 1, extra: 1 }],
    ['an id that is none', { n: 1, thing: 'x' }],
  ])('refuses %s', async (_name, args) => {
    await expect(query('strict', args)).rejects.toThrow();
  });

  test('checks what a function returns', async () => {
    expect(await query('strict', { n: 1, maybe: 'x' })).toEqual({ n: 1 });
    await expect(query('breaksItsWord', {})).rejects.toThrow();
  });

  test('keeps a document of every type as it was', async () => {
    const thing = await mutation('addThing', { label: 1 });
    const id = await mutation('addTyped', { document: { ...TYPED, thing } });
    const found = await query('getTyped', { id });
    expect(found).toEqual({ ...TYPED, thing, _id: id, _creationTime: expect.any(Number) as number });
    await expect(query('getTyped', { id: thing })).rejects.toThrow();
  });

  test.each<[string, Record<string, Value>]>([
    ['a missing field', { name: 'n' }],
    ['an extra field', { ...TYPED, extra: 1 }],
    ['another type', { ...TYPED, count: 3 }],
    ['another literal', { ...TYPED, kind: 'z' }],
    ['an id that is none', { ...TYPED, thing: 'x' }],
  ])('refuses a document with %s', async (_name, document) => {
    await expect(mutation('addTyped', { document })).rejects.toThrow();
  });

  test('a failed mutation leaves nothing behind, and its ConvexError has its data', async () => {
    const data = { code: 'X', list: [1, null] };
    await expect(mutation('refuse', { data })).rejects.toMatchObject({ name: 'ConvexError', data });
    expect(await countThings(-1)).toBe(0);
    expect(await engine.call('action', 'values:passOn', { data })).toEqual({ caught: data });
    expect(await countThings(-1)).toBe(0);
  });

  test('mutations at the same time are one after another', async () => {
    const counts = await Promise.all(Array.from({ length: 20 }, () => mutation('increment', { label: 5 })));
    expect(counts.map(Number).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_one, at) => at + 1),
    );
  });

  test('what is scheduled runs, what is cancelled or rolled back does not', async () => {
    const id = await mutation('schedule', { label: 1, inMs: 0, fails: false });
    const cancelled = await mutation('schedule', { label: 2, inMs: 200, fails: false });
    await expect(mutation('schedule', { label: 3, inMs: 0, fails: true })).rejects.toThrow();
    await mutation('cancel', { id: cancelled });
    const last = await mutation('schedule', { label: 4, inMs: 300, fails: false });
    await until('The last one ran', async () => (await query('jobState', { id: last })) === 'success');
    expect(await Promise.all([1, 2, 3, 4].map(countThings))).toEqual([1, 0, 0, 1]);
    expect(await query('jobState', { id })).toBe('success');
    expect(await query('jobState', { id: cancelled })).toBe('canceled');
  });

  test('knows ids, and who calls', async () => {
    const id = await mutation('addThing', { label: 1 });
    expect(await query('normalize', { table: 'things', id })).toBe(true);
    expect(await query('normalize', { table: 'typed', id })).toBe(false);
    expect(await query('normalize', { table: 'things', id: 'x' })).toBe(false);
    expect(await query('whoAmI', {})).toBeNull();
  });
});

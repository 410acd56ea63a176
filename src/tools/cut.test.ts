import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitData } from './cut.ts';

const sizeOf = (value: unknown): number => JSON.stringify(value).length;

test('what fits stays as it is', () => {
  const data = { task: { title: 'short' }, thread: [] };
  expect(fitData(data, 1_000)).toBe(data);
});

test('long texts are cut first, short ones stay whole, and the answer says so', () => {
  const data = { task: { _id: 'k'.repeat(32), description: 'd'.repeat(50_000) }, note: 'n'.repeat(300) };
  const fitted = fitData(data, 5_000);
  expect(sizeOf(fitted)).toBeLessThanOrEqual(5_000);
  expect(sizeOf(fitted)).toBeGreaterThan(4_500);
  expect(fitted).toMatchObject({ task: { _id: 'k'.repeat(32) }, note: 'n'.repeat(300) });
  expect(fitted.cut).toMatch(/^Texts were cut to \d+ characters/);
});

test('of a list that is too long the last entries go, of a thread the oldest', () => {
  const row = (n: number) => ({ _id: `row${n}`, title: 't'.repeat(100) });
  const rows = Array.from({ length: 200 }, (_, n) => row(n));
  const tasks = fitData({ tasks: rows }, 5_000) as { tasks: { _id: string }[]; cut: string };
  expect(tasks.tasks[0]?._id).toBe('row0');
  expect(tasks.cut).toContain(`${200 - tasks.tasks.length} entries were left out`);
  const thread = fitData({ thread: rows }, 5_000) as { thread: { _id: string }[] };
  expect(thread.thread.at(-1)?._id).toBe('row199');
});

test('whatever it is, it fits and stays JSON', () => {
  const rows = fc.array(
    fc.record({ id: fc.string(), text: fc.string({ maxLength: 5_000, unit: 'binary' }) }),
  );
  fc.assert(
    fc.property(rows, rows, fc.string({ maxLength: 20_000 }), (messages, activities, description) => {
      const fitted = fitData({ task: { description }, messages, activities }, 4_000);
      expect(sizeOf(fitted)).toBeLessThanOrEqual(4_000);
      JSON.parse(JSON.stringify(fitted));
    }),
    { numRuns: 60 },
  );
});

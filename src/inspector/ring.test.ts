import { expect, test } from 'vitest';
import { createRing } from './ring.ts';

const gone = (path: string) => ({ kind: 'gone' as const, path });

test('keeps the last entries, numbered from 1', () => {
  const ring = createRing(3);
  expect(ring.last()).toBe(0);
  expect(ring.after(0)).toEqual([]);
  for (let n = 1; n <= 20; n += 1) ring.add(n, gone(String(n)));
  expect(ring.last()).toBe(20);
  expect(ring.all().map(({ seq }) => seq)).toEqual([18, 19, 20]);
});

test('tells what came after a number, or that it no longer can', () => {
  const ring = createRing(3);
  for (let n = 1; n <= 7; n += 1) {
    ring.add(n, gone(String(n)));
    for (let from = 0; from <= n; from += 1) {
      const missed = ring.after(from)?.map(({ seq }) => seq) ?? null;
      const all = Array.from({ length: n - from }, (_, i) => from + 1 + i);
      expect(missed, `after ${from} of ${n}`).toEqual(n - from <= 3 || missed !== null ? all : null);
    }
  }
  expect(ring.after(0)).toBeNull();
  // A number from the future is another stream's.
  expect(ring.after(8)).toBeNull();
  expect(ring.after(Number.NaN)).toBeNull();
});

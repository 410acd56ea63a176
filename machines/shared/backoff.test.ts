import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoff } from './backoff.ts';

const limits = fc
  .tuple(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 0, max: 2 ** 31 }))
  .map(([baseMs, more]) => ({ baseMs, capMs: Math.min(2 ** 31 - 1, baseMs + more) }));
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('is an integer, never 0, never past the cap, and at least half of what is due', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), limits, random, (failures, bounds, draw) => {
      const delay = backoff(failures, bounds, draw);
      const due = Math.min(bounds.capMs, bounds.baseMs * 2 ** Math.min(failures - 1, 40));
      expect(Number.isInteger(delay)).toBe(true);
      expect(delay).toBeGreaterThanOrEqual(Math.max(1, Math.floor(due / 2)));
      expect(delay).toBeLessThanOrEqual(bounds.capMs);
    }),
  );
});

test('doubles until the cap', () => {
  const bounds = { baseMs: 5_000, capMs: 60_000 };
  const longest = [1, 2, 3, 4, 5, 6].map((failures) => backoff(failures, bounds, 0.999999999));
  expect(longest).toEqual([4_999, 9_999, 19_999, 39_999, 59_999, 59_999]);
});

test("takes the other side's wish as a floor, up to an hour", () => {
  const bounds = { baseMs: 1_000, capMs: 2_000 };
  expect(backoff(1, bounds, 0.5, 30_000)).toBe(30_000);
  expect(backoff(1, bounds, 0.5, 10)).toBe(750);
  expect(backoff(1, bounds, 0.5, 10 ** 9)).toBe(3_600_000);
});

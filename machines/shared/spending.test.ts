import { expect, test } from 'vitest';
import { isSpent, isWarned, limitFor, NO_LIMITS } from './spending.ts';

const spent = (tokens: number, used = 1) => ({
  agentId: 'a',
  agent: 'engineer',
  tokens,
  used,
  dayEndsInMs: 1,
});
const limits = { all: null, bySlug: { engineer: 100 } };

test('a limit is of one agent, of all, or there is none', () => {
  expect(limitFor(NO_LIMITS, 'engineer')).toBe(null);
  expect(limitFor({ all: 5, bySlug: {} }, 'engineer')).toBe(5);
  expect(limitFor(limits, 'engineer')).toBe(100);
  expect(limitFor(limits, 'qa')).toBe(null);
  expect(limitFor(limits, 'constructor')).toBe(null);
});

test('the round that crosses 80 % is warned of once; at 100 % all is spent', () => {
  expect([79, 80, 81, 99, 100].map((tokens) => isWarned(limits, spent(tokens)))).toEqual([
    false,
    true,
    false,
    false,
    false,
  ]);
  expect(isWarned(limits, spent(90, 50))).toBe(true);
  expect([99, 100, 250].map((tokens) => isSpent(limits, spent(tokens)))).toEqual([false, true, true]);
  expect(isSpent(NO_LIMITS, spent(1e9))).toBe(false);
});

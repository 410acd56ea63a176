import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchSlowCalls } from './slow-calls.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('calls that hang are told of once, and that none hangs any more', () => {
  const told: (string | null)[] = [];
  const calls = watchSlowCalls((problem) => told.push(problem));
  const quick = calls.watch('listAgents');
  const [first, second] = [calls.watch('markNotificationRead'), calls.watch('listAgents')];
  vi.advanceTimersByTime(9_999);
  quick();
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(told).toEqual([
    'Convex has not answered markNotificationRead for 10 s: check CONVEX_URL and the deployment.',
  ]);
  first();
  expect(told).toHaveLength(1);
  second();
  expect(told).toHaveLength(2);
  expect(told[1]).toBeNull();
});

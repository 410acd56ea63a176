import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PulseEvent } from '../../machines/pulse/machine.ts';
import { tellIfItHangs } from './transport.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a call that hangs for 10 s is told of, and its end; a quick one is not', () => {
  const told: PulseEvent[] = [];
  const quick = tellIfItHangs('listAgents', (event) => told.push(event));
  const slow = tellIfItHangs('markNotificationRead', (event) => told.push(event));
  vi.advanceTimersByTime(9_999);
  quick();
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(told).toEqual([{ type: 'call.hangs', name: 'markNotificationRead' }]);
  slow();
  expect(told.at(-1)).toEqual({ type: 'call.ended' });
});

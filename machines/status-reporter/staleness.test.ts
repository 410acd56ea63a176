/** The backend takes a runtime for dead when its last report is more than 90 s old (docs/contract.md#functions). */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import type { RuntimeStatus } from '../shared/mission-control.ts';
import { createListener, settle } from '../../test/kits/samples/mission-control.ts';
import { statusReporterMachine, type StatusReporterNews } from './machine.ts';

const STALE_MS = 90_000;
const STEP_MS = 500;
/** A time that never passes in these tests. */
const HANGS_MS = 1e9;

/** The longest time between two reports that arrived, in milliseconds, over this many reports. */
async function longestSilence(intervalMs: number, answersInMs: readonly number[]): Promise<number> {
  const clock = new SimulatedClock();
  let sent = 0;
  let known = 0;
  let longest = 0;
  const reportStatus = fromPromise<{ asked: boolean }, { status: RuntimeStatus }>(({ signal }) => {
    const sentAt = clock.now();
    const takes = answersInMs[sent++] ?? 0;
    return new Promise((resolve) => {
      clock.setTimeout(() => {
        if (signal.aborted) return;
        known = sentAt;
        resolve({ asked: true });
      }, takes);
    });
  });
  const actor = createActor(statusReporterMachine.provide({ actors: { reportStatus } }), {
    clock,
    input: {
      parent: createListener<StatusReporterNews>().parent,
      status: 'online',
      intervalMs,
      random: () => 0.999_999,
      now: () => 0,
    },
  }).start();
  while (sent < answersInMs.length) {
    longest = Math.max(longest, clock.now() - known);
    clock.increment(STEP_MS);
    await settle();
  }
  actor.stop();
  return longest;
}

it.each([1_000, 30_000, 60_000])(
  'is never reached while Convex is slow and loses a report now and then, with HEALTH_CHECK_INTERVAL=%i',
  async (intervalMs) => {
    const slow = fc.integer({ min: 0, max: 14_999 });
    const pair = fc.tuple(slow, fc.oneof(slow, fc.constant(HANGS_MS)));
    await fc.assert(
      fc.asyncProperty(fc.array(pair, { minLength: 3, maxLength: 5 }), async (pairs) => {
        expect(await longestSilence(intervalMs, pairs.flat())).toBeLessThan(STALE_MS);
      }),
      { numRuns: 15 },
    );
  },
);

it('is never reached at the worst: the slowest answers, every second report lost, the longest interval', async () => {
  const worst = [14_999, HANGS_MS, 14_999, HANGS_MS, 14_999];
  expect(await longestSilence(60_000, worst)).toBeLessThan(STALE_MS);
});

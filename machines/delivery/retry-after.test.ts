/** Retry-After of Convex is a floor: it is not asked again before that, unless it shows that it is back. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { Fault } from '../shared/fault.ts';
import { settle } from '../../test/kits/samples/mission-control.ts';
import type { ListInput, Page } from './context.ts';
import { deliveryInput } from '../../test/kits/delivery-input.ts';
import { deliveryMachine } from './machine.ts';

const FLOOR_MS = 90_000;

function startPolling() {
  const clock = new SimulatedClock();
  const asked: number[] = [];
  const actor = createActor(
    deliveryMachine.provide({
      actors: {
        listUndelivered: fromPromise<Page, ListInput>(() => {
          asked.push(clock.now());
          if (asked.length > 1) return Promise.resolve({ rows: [], listed: 0, unseen: false, cursor: null });
          return Promise.reject(new Fault('backendUnavailable', 'Too much.', { retryAfterMs: FLOOR_MS }));
        }),
      },
    }),
    {
      clock,
      input: deliveryInput(),
    },
  ).start();
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      await settle();
      clock.increment(1_000);
    }
    await settle();
  };
  return { asked, actor, pass };
}

it('waits as long as it is asked to, and not longer', async () => {
  const { asked, pass } = startPolling();
  await pass(FLOOR_MS - 1_000);
  expect(asked).toEqual([0]);
  await pass(1_000);
  expect(asked).toEqual([0, FLOOR_MS]);
});

it('goes on at once when another call got through', async () => {
  const { asked, actor, pass } = startPolling();
  await pass(5_000);
  actor.send({ type: 'backend.available' });
  await settle();
  expect(asked).toEqual([0, 5_000]);
});

/** A delivery that leaves gives the rows back that are lent to it, also when it has nothing to finish. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { deliveryInput } from '../../test/kits/delivery-input.ts';
import { sampleRow, settle } from '../../test/kits/samples/mission-control.ts';
import type { ListInput, Page } from './context.ts';
import { deliveryMachine } from './machine.ts';

/** Delivery leaves while the gate is closed and a row waits. @param answers whether Convex takes the rows back */
async function leave(answers: boolean) {
  const released: (readonly string[])[] = [];
  const clock = new SimulatedClock();
  const actor = createActor(
    deliveryMachine.provide({
      actors: {
        listUndelivered: fromPromise<Page, ListInput>(() =>
          Promise.resolve({
            rows: [{ row: sampleRow({ _id: 'n1', taskId: 'a' }), entry: null, given: null }],
            listed: 1,
            unseen: false,
            cursor: null,
          }),
        ),
        releaseRows: fromPromise<void, { keep: readonly string[] }>(({ input: { keep } }) => {
          released.push(keep);
          return answers ? Promise.resolve() : new Promise(() => undefined);
        }),
      },
    }),
    { clock, input: deliveryInput({ gate: 'closed' }) },
  ).start();
  await settle();
  actor.send({ type: 'delivery.drain' });
  await settle();
  return { released, clock, status: () => actor.getSnapshot().status };
}

it('ends when Convex has them', async () => {
  const { released, status } = await leave(true);
  expect(released).toEqual([[]]);
  expect(status()).toBe('done');
});

it('waits two seconds for a Convex that does not answer', async () => {
  const { released, clock, status } = await leave(false);
  expect(released).toEqual([[]]);
  clock.increment(1_999);
  expect(status()).toBe('active');
  clock.increment(1);
  expect(status()).toBe('done');
});

/** What the journal has and could not be looked at is looked for again soon, also while changes of the queue are told. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { settle } from '../../test/kits/samples/mission-control.ts';
import type { ListInput, Page } from './context.ts';
import { deliveryInput } from '../../test/kits/delivery-input.ts';
import { deliveryMachine } from './machine.ts';

const STEP_MS = 250;

/** Looks at the queue of a delivery that is told of changes, in milliseconds; so many leave a row of the journal unseen. */
async function looksWithin(ms: number, unseenLooks: number): Promise<number[]> {
  const clock = new SimulatedClock();
  const looks: number[] = [];
  const listUndelivered = fromPromise<Page, ListInput>(() => {
    looks.push(clock.now());
    return Promise.resolve({ rows: [], listed: 0, unseen: looks.length <= unseenLooks, cursor: null });
  });
  createActor(deliveryMachine.provide({ actors: { listUndelivered } }), {
    clock,
    input: deliveryInput({ watched: true }),
  }).start();
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    await settle();
    clock.increment(STEP_MS);
  }
  return looks;
}

it('looks again as quickly as idle polling does, until nothing is unseen', async () => {
  const looks = await looksWithin(120_000, 6);
  const waits = looks.slice(1).map((at, n) => at - (looks[n] ?? 0));
  expect(waits.slice(0, 5)).toEqual([500, 500, 500, 500, 500]);
  expect(looks).toHaveLength(7);
});

it('leaves it to the changes that are told when all could be seen', async () => {
  expect(await looksWithin(60_000, 0)).toEqual([0]);
});

/** Contexts that change with every delivery are objects that V8 copies quickly (docs/adr/0011). */
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { expect, it } from 'vitest';
import { createActor, SimulatedClock } from 'xstate';
import { deliveryInput } from '../../test/kits/delivery-input.ts';
import { deliveryMachine } from '../delivery/machine.ts';
import { notificationMachine } from '../notification/machine.ts';
import { createListener, sampleRow } from '../../test/kits/samples/mission-control.ts';
import { whoIs } from './who.ts';

setFlagsFromString('--allow-natives-syntax');
const isQuick = runInThisContext('(object) => %HasFastProperties(object)') as (object: object) => boolean;

const LIMITS = { baseMs: 1_000, capMs: 1_000 };
const { parent } = createListener();

it("a notification's", () => {
  const notification = createActor(notificationMachine, {
    clock: new SimulatedClock(),
    input: {
      parent,
      session: 'a/b',
      row: sampleRow(),
      entry: null,
      given: null,
      runs: LIMITS,
      backend: LIMITS,
      stallAfterMs: 300_000,
      random: () => 0.5,
      moment: () => ({ boot: 'boot', ms: 0 }),
      troubled: [],
      away: [],
      thread: null,
      chainLimit: 12,
    },
  }).start();
  notification.send({ type: 'work.leave' });
  const { context } = notification.getSnapshot();
  expect([context, context.rest, context.result].map(isQuick)).toEqual([true, true, true]);
});

it("delivery's", () => {
  const delivery = createActor(deliveryMachine, {
    clock: new SimulatedClock(),
    input: deliveryInput({ gate: 'closed' }),
  }).start();
  delivery.send({ type: 'queue.changed' });
  delivery.send({
    type: 'run.failed',
    session: 'a',
    who: whoIs('a', 'a task'),
    kind: 'runFailed',
    reason: 'it failed',
  });
  const { context } = delivery.getSnapshot();
  expect([context, context.poll, context.history].map(isQuick)).toEqual([true, true, true]);
});

/** Contexts that change with every delivery are objects that V8 copies quickly (docs/adr/0011). */
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { expect, it } from 'vitest';
import { createActor, SimulatedClock } from 'xstate';
import { deliveryInput } from '../delivery/input.test-kit.ts';
import { deliveryMachine } from '../delivery/machine.ts';
import { laneMachine } from '../lane/machine.ts';
import { createListener, sampleRow } from '../../test/kits/samples/mission-control.ts';

setFlagsFromString('--allow-natives-syntax');
const isQuick = runInThisContext('(object) => %HasFastProperties(object)') as (object: object) => boolean;

const LIMITS = { baseMs: 1_000, capMs: 1_000 };
const { parent } = createListener();

it("a lane's", () => {
  const lane = createActor(laneMachine, {
    clock: new SimulatedClock(),
    input: { parent, key: 'lane:a/b', session: LIMITS, backend: LIMITS, random: () => 0.5 },
  }).start();
  lane.send({
    type: 'lane.go',
    job: { kind: 'notification', row: sampleRow() },
    trial: false,
    next: null,
  });
  lane.send({ type: 'lane.drain' });
  const { context } = lane.getSnapshot();
  expect([context, context.work].map(isQuick)).toEqual([true, true]);
});

it("delivery's", () => {
  const delivery = createActor(deliveryMachine, {
    clock: new SimulatedClock(),
    input: deliveryInput({ gate: 'closed' }),
  }).start();
  delivery.send({ type: 'queue.changed' });
  delivery.send({ type: 'run.failed', session: 'a', kind: 'runFailed', reason: 'it failed' });
  const { context } = delivery.getSnapshot();
  expect([context, context.poll, context.history].map(isQuick)).toEqual([true, true, true]);
});

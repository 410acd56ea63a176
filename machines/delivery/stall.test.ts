/** A silent run is a problem of its own, which names agent and task. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { createListener } from '../../test/kits/samples/mission-control.ts';
import { deliveryInput } from '../../test/kits/delivery-input.ts';
import type { DeliveryNews, ListInput, Page } from './context.ts';
import { deliveryMachine } from './machine.ts';

const STALLED = {
  type: 'run.stalled',
  session: 'a/t',
  agent: 'engineer',
  task: 'Fix the login bug',
  silentMs: 300_000,
  first: true,
} as const;

it('is told to the supervisor, and taken back when something is heard', () => {
  const { parent, heard } = createListener<DeliveryNews>();
  const listUndelivered = fromPromise<Page, ListInput>(() => new Promise(() => undefined));
  const actor = createActor(deliveryMachine.provide({ actors: { listUndelivered } }), {
    clock: new SimulatedClock(),
    input: deliveryInput({ parent }),
  }).start();
  actor.send(STALLED);
  expect(heard).toEqual([
    STALLED,
    {
      type: 'condition.changed',
      source: 'run:a/t',
      of: 'delivery',
      problem:
        'The run of engineer on "Fix the login bug" is open and the gateway has sent nothing for 5 min. It goes on until it answers or OPENCLAW_REQUEST_TIMEOUT_MS is over.',
    },
  ]);
  heard.length = 0;
  actor.send({ ...STALLED, task: null, silentMs: 30_000, first: false });
  expect(JSON.stringify(heard[1])).toMatch(/"The run of engineer is open .* for 30 s\./);
  heard.length = 0;
  actor.send({ type: 'run.heard', session: 'a/t' });
  expect(heard).toEqual([{ type: 'condition.changed', source: 'run:a/t', problem: null, of: 'delivery' }]);
});

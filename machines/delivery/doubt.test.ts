/** Of the runs that succeed the gateway hears only where one has failed before, or the gate is not open. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { createListener } from '../../test/kits/samples/mission-control.ts';
import type { DeliveryEvent, DeliveryNews, ListInput, Page } from './context.ts';
import { deliveryInput } from '../../test/kits/delivery-input.ts';
import { whoIs } from '../shared/who.ts';
import { deliveryMachine } from './machine.ts';

const SUCCEEDED = { type: 'run.succeeded', session: 'a' } as const;
const FAILED = {
  type: 'run.failed',
  session: 'a',
  who: whoIs('engineer', 'a task'),
  kind: 'runFailed',
  reason: 'it failed',
} as const;
const SUSPECTED = {
  type: 'gateway.suspected',
  kind: 'gatewayUnavailable',
  reason: 'away',
  retryAfterMs: 0,
} as const;

function startOpen() {
  const { parent, heard } = createListener<DeliveryNews>();
  const listUndelivered = fromPromise<Page, ListInput>(() => new Promise(() => undefined));
  const actor = createActor(deliveryMachine.provide({ actors: { listUndelivered } }), {
    clock: new SimulatedClock(),
    input: deliveryInput({ parent }),
  }).start();
  /** @returns what the gateway hears of it */
  return (...events: DeliveryEvent[]): string[] => {
    heard.length = 0;
    for (const event of events) actor.send(event);
    return heard.map(({ type }) => type).filter((type) => type !== 'condition.changed');
  };
}

it('tells the first success, since nobody knows what the delivery before it told', () => {
  expect(startOpen()(SUCCEEDED, SUCCEEDED, SUCCEEDED)).toEqual(['run.succeeded']);
});

it.each([FAILED, SUSPECTED])('tells the first success after $type', (trouble) => {
  const send = startOpen();
  send(SUCCEEDED);
  expect(send(trouble, trouble, SUCCEEDED, SUCCEEDED)).toEqual([trouble.type, trouble.type, SUCCEEDED.type]);
});

it.each([{ type: 'gateway.trial' }, { type: 'gateway.lost', excused: true }] as const)(
  'tells every success after $type, and those that end a doubt when the gate is open again',
  (gate) => {
    const send = startOpen();
    send(SUCCEEDED);
    expect(send(gate, SUCCEEDED, SUCCEEDED)).toHaveLength(2);
    expect(send({ type: 'gateway.available' }, SUCCEEDED)).toEqual([]);
    expect(send(FAILED, gate, SUCCEEDED, { type: 'gateway.available' }, SUCCEEDED, SUCCEEDED)).toHaveLength(
      3,
    );
  },
);

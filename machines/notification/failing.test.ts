/** A notification that has failed says so when its agent is well again: its trouble is not over. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { freshGhost, inputOf } from '../../test/kits/notification-world.ts';
import { createListener, sampleContext, settle } from '../../test/kits/samples/mission-control.ts';
import { Fault } from '../shared/fault.ts';
import type { DeliveryContext } from '../shared/mission-control.ts';
import type { ChildNews } from '../shared/child-messages.ts';
import type { ContextRead } from './actors.ts';
import { notificationMachine } from './machine.ts';

/** A notification whose run fails like that, each time that it gets a slot. */
async function failing(fault: Fault) {
  const { parent, heard } = createListener<ChildNews>();
  const input = { ...inputOf(freshGhost('mention')), parent };
  const read: ContextRead = {
    delivery: sampleContext({ notification: input.row }),
    completes: false,
    typing: false,
  };
  const machine = notificationMachine.provide({
    actors: {
      readContext: fromPromise<ContextRead, { id: string; given: DeliveryContext | null }>(() =>
        Promise.resolve(read),
      ),
      runAgent: fromPromise(() => Promise.reject(fault)),
    },
  });
  const actor = createActor(machine, { clock: new SimulatedClock(), input });
  actor.start();
  const run = async (): Promise<void> => {
    await settle();
    actor.send({ type: 'slot.granted', trial: false });
    await settle();
  };
  await run();
  return { actor, heard, run };
}

/** The run fails, and then the agent is well again. @returns what delivery hears of that */
async function failed(retryAfterMs: number) {
  const { actor, heard } = await failing(new Fault('runFailed', 'The model is away.', { retryAfterMs }));
  heard.length = 0;
  actor.send({ type: 'agent.available' });
  const { value } = actor.getSnapshot();
  actor.stop();
  return { value: JSON.stringify(value), told: heard.filter(({ type }) => type === 'session.troubled') };
}

it('goes on at once, and is named until it succeeds', async () => {
  const { value, told } = await failed(0);
  expect(value).toContain('reading');
  expect(told).toMatchObject([{ reason: 'The model is away.' }]);
});

it('keeps a wait that the gateway asked for, and is named meanwhile', async () => {
  const { value, told } = await failed(60_000);
  expect(value).toContain('resting');
  expect(told).toHaveLength(1);
});

it('does not run at once each time that the gateway takes runs, if it was turned away again and again', async () => {
  const { actor, run } = await failing(new Fault('gatewayUnavailable', 'It takes no runs now.'));
  const after: string[] = [];
  for (let n = 0; n < 6; n++) {
    actor.send({ type: 'gateway.available' });
    after.push(JSON.stringify(actor.getSnapshot().value).includes('reading') ? 'reads' : 'rests');
    await run();
  }
  actor.stop();
  expect(after).toEqual([...Array<string>(5).fill('reads'), 'rests']);
});

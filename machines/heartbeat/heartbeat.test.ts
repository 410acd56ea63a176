import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { expect, test } from 'vitest';
import { createListener, sampleAgent } from '../../test/kits/samples/mission-control.ts';
import { heartbeatMachine, type HeartbeatNews } from './machine.ts';

test('each beat is told what the earlier ones were about', () => {
  const { parent, heard } = createListener<HeartbeatNews>();
  const clock = new SimulatedClock();
  const input = { parent, agent: sampleAgent(), random: () => 0.5 };
  const actor = createActor(heartbeatMachine, { clock, input }).start();
  for (const focus of ['t1', null, 't2', 't1']) {
    clock.increment(3_600_000);
    actor.send({ type: 'beat.done', focus });
  }
  clock.increment(3_600_000);
  expect(heard.map(({ seen }) => seen)).toEqual([[], ['t1'], ['t1'], ['t1', 't2'], ['t2', 't1']]);
});

test('a gateway that is back while Mission Control is still being told ends the wait', () => {
  const { parent, heard } = createListener<HeartbeatNews>();
  const clock = new SimulatedClock();
  const input = { parent, agent: sampleAgent(), random: () => 0.5 };
  const reportUnreachable = fromPromise<void, { agentId: string }>(() => new Promise(() => undefined));
  const machine = heartbeatMachine.provide({ actors: { reportUnreachable } });
  const actor = createActor(machine, { clock, input }).start();
  clock.increment(120_000);
  actor.send({ type: 'beat.refused' });
  expect(actor.getSnapshot().value).toBe('reporting');
  actor.send({ type: 'gateway.available' });
  clock.increment(120_000);
  expect(heard).toHaveLength(2);
});

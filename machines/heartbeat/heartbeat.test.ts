import { createActor, SimulatedClock } from 'xstate';
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

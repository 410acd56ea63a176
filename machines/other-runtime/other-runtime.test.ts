import { createActor, SimulatedClock } from 'xstate';
import { expect, test } from 'vitest';
import { createListener } from '../../test/kits/samples/mission-control.ts';
import type { ConditionChanged } from '../shared/condition.ts';
import { otherRuntimeMachine } from './machine.ts';

function watch() {
  const { parent, heard } = createListener<ConditionChanged>();
  const clock = new SimulatedClock();
  const actor = createActor(otherRuntimeMachine, { clock, input: { parent } });
  actor.start();
  return {
    told: () => heard.map(({ problem }) => problem),
    clock,
    state: () => actor.getSnapshot().value,
    counted: (others: number) => actor.send({ type: 'otherRuntime.counted', others }),
    sighted: (row: string) => actor.send({ type: 'otherRuntime.sighted', row, sign: 'it was read' }),
  };
}

test('one that is counted is told of, until there is none any more', () => {
  const { told, state, counted } = watch();
  counted(1);
  counted(1);
  expect(state()).toBe('sharing');
  counted(0);
  expect(state()).toBe('alone');
  const [first] = told();
  expect(told()).toEqual([first, first, null]);
  expect(first).toMatch(/^Another runtime works on this account\. /);
});

test('signs on two rows are needed: the last call of a process that is gone is one row', () => {
  const { told, state, sighted } = watch();
  sighted('a');
  sighted('a');
  expect([state(), told()]).toEqual(['doubtful', []]);
  sighted('b');
  expect(state()).toBe('colliding');
  expect(told()).toEqual([expect.stringMatching(/it was read\. Both run every notification/)]);
});

test('a doubt is forgotten after five minutes, and so is another runtime of which nothing is seen', () => {
  const { told, clock, state, sighted } = watch();
  sighted('a');
  clock.increment(300_000);
  sighted('b');
  expect(state()).toBe('doubtful');
  sighted('c');
  clock.increment(299_999);
  sighted('d');
  clock.increment(299_999);
  expect(state()).toBe('colliding');
  clock.increment(1);
  expect([state(), told().at(-1)]).toEqual(['alone', null]);
});

import { expect, test } from 'vitest';
import { createActor, createMachine } from 'xstate';
import { createStateClock } from './state-clock.ts';

test('tells since when an actor is in its state, and in its outermost one', () => {
  let now = 1;
  const clock = createStateClock(() => now);
  const machine = createMachine({
    initial: 'connected',
    states: {
      connected: {
        initial: 'steady',
        states: { steady: { on: { check: 'checking' } }, checking: { on: { done: 'steady' } } },
        on: { lose: 'degraded' },
      },
      degraded: {},
    },
  });
  const actor = createActor(machine, { inspect: clock.observe });
  expect([clock.since(actor), clock.sinceOutermost(actor)]).toEqual([null, null]);
  actor.start();
  expect([clock.since(actor), clock.sinceOutermost(actor)]).toEqual([1, 1]);
  now = 2;
  actor.send({ type: 'check' });
  expect([clock.since(actor), clock.sinceOutermost(actor)]).toEqual([2, 1]);
  now = 3;
  actor.send({ type: 'unknown' });
  expect(clock.since(actor)).toBe(2);
  actor.send({ type: 'lose' });
  expect([clock.since(actor), clock.sinceOutermost(actor)]).toEqual([3, 3]);
});

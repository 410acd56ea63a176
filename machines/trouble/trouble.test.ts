import { expect, it } from 'vitest';
import { createActor, SimulatedClock } from 'xstate';
import { createListener } from '../../test/kits/samples/mission-control.ts';
import { troubleMachine, type TroubleNews } from './machine.ts';

function startTrouble() {
  const { parent, heard } = createListener<TroubleNews>();
  const clock = new SimulatedClock();
  const actor = createActor(troubleMachine, {
    clock,
    input: {
      parent,
      scope: 'createMessageFromAgent',
      who: 'createMessageFromAgent',
      enough: { failures: 3, subjects: 3 },
      forgottenAfterMs: 7_200_000,
      now: () => 7,
    },
  }).start();
  const see = (...subjects: string[]): void => {
    for (const subject of subjects) actor.send({ type: 'trouble.seen', subject, reason: `of ${subject}` });
  };
  return { actor, clock, heard, see };
}

it('is not found while it meets one row, however often', () => {
  const { actor, heard, see } = startTrouble();
  see('a', 'a', 'a', 'a', 'b');
  expect(actor.getSnapshot().value).toBe('doubtful');
  expect(heard).toEqual([]);
});

it('is found, once, when it meets three different rows with no success between them', () => {
  const { heard, see } = startTrouble();
  see('a', 'b', 'c', 'd');
  expect(heard).toEqual([
    {
      type: 'trouble.found',
      scope: 'createMessageFromAgent',
      who: 'createMessageFromAgent',
      reason: 'of c',
      since: 7,
    },
  ]);
});

it('is over with the first success, and says whether it had been found', () => {
  for (const [subjects, wasFound] of [
    [['a', 'b'], false],
    [['a', 'b', 'c'], true],
  ] as const) {
    const { actor, see } = startTrouble();
    see(...subjects);
    actor.send({ type: 'trouble.passed' });
    expect(actor.getSnapshot().output).toEqual({
      kind: 'trouble',
      scope: 'createMessageFromAgent',
      wasFound,
    });
  }
});

it('forgets a doubt that nobody adds to', () => {
  const { actor, clock, see } = startTrouble();
  see('a');
  clock.increment(7_199_999);
  // A run that takes an hour and times out again adds to it.
  see('a');
  clock.increment(7_199_999);
  expect(actor.getSnapshot().status).toBe('active');
  clock.increment(1);
  expect(actor.getSnapshot().status).toBe('done');
});

import { expect, test } from 'vitest';
import { addRound, answeredCall, begunCall, mayCall, nextCall, NO_ROUNDS, type Rounds } from './rounds.ts';

const call = (name: string) => ({ callId: name, name, arguments: '{}' });
const answer = { output: '{}', outcome: 'ok' } as const;
const names = (count: number) => Array.from({ length: count }, (_, n) => call(`call${n}`));

function answerAll(rounds: Rounds): Rounds {
  return nextCall(rounds) === null ? rounds : answerAll(answeredCall(begunCall(rounds), answer));
}

test('calls are made one after another, in their order', () => {
  let rounds = addRound(NO_ROUNDS, [call('a'), call('b')]);
  expect(nextCall(rounds)).toMatchObject({ call: { name: 'a' }, begun: false, index: 0 });
  rounds = begunCall(rounds);
  expect(nextCall(rounds)).toMatchObject({ call: { name: 'a' }, begun: true });
  rounds = answeredCall(rounds, answer);
  expect(nextCall(rounds)).toMatchObject({ call: { name: 'b' }, begun: false, index: 1 });
  expect(nextCall(answeredCall(rounds, answer))).toBeNull();
});

test('after the sixteenth answer with calls there are no more', () => {
  let rounds = NO_ROUNDS;
  for (let round = 0; round < 15; round++) rounds = answerAll(addRound(rounds, [call('a')]));
  expect(mayCall(rounds)).toBe(true);
  expect(mayCall(answerAll(addRound(rounds, [call('a')])))).toBe(false);
});

test('the forty-first call is over the limit', () => {
  const first = answerAll(addRound(NO_ROUNDS, names(39)));
  expect(mayCall(first)).toBe(true);
  const second = addRound(first, names(2));
  expect(nextCall(second)?.overLimit).toBe(false);
  expect(nextCall(answeredCall(second, answer))?.overLimit).toBe(true);
  expect(mayCall(second)).toBe(false);
});

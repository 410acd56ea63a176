import { expect, test } from 'vitest';
import {
  addRound,
  answeredCall,
  answersOf,
  begunCall,
  countCalls,
  mayCall,
  nextCall,
  NO_ROUNDS,
} from './rounds.ts';
import type { Rounds } from './rounds.ts';

const call = (name: string) => ({ callId: name, name, arguments: '{}' });
const answer = { output: '{}', outcome: 'ok' } as const;
const names = (count: number) => Array.from({ length: count }, (_, n) => call(`call${n}`));

function answerAll(rounds: Rounds): Rounds {
  return nextCall(rounds) === null ? rounds : answerAll(answeredCall(begunCall(rounds), answer));
}

test('calls are made one after another, in their order', () => {
  let rounds = addRound(NO_ROUNDS, [call('a'), call('b')], 'in_progress');
  expect(nextCall(rounds)).toMatchObject({ call: { name: 'a' }, begun: false, index: 0 });
  rounds = begunCall(rounds);
  expect(nextCall(rounds)).toMatchObject({ call: { name: 'a' }, begun: true });
  rounds = answeredCall(rounds, answer);
  expect(nextCall(rounds)).toMatchObject({ call: { name: 'b' }, begun: false, index: 1 });
  expect(nextCall(answeredCall(rounds, answer))).toBeNull();
});

test('after the sixteenth answer with calls there are no more', () => {
  let rounds = NO_ROUNDS;
  for (let round = 0; round < 15; round++) rounds = answerAll(addRound(rounds, [call('a')], null));
  expect(mayCall(rounds)).toBe(true);
  expect(mayCall(answerAll(addRound(rounds, [call('a')], null)))).toBe(false);
});

test('the forty-first call is over the limit', () => {
  const first = answerAll(addRound(NO_ROUNDS, names(39), null));
  expect(mayCall(first)).toBe(true);
  const second = addRound(first, names(2), null);
  expect(nextCall(second)?.overLimit).toBe(false);
  expect(nextCall(answeredCall(second, answer))?.overLimit).toBe(true);
  expect(mayCall(second)).toBe(false);
});

test('the answers of earlier rounds stay, but for long ones, which were read', () => {
  const read = answeredCall(addRound(NO_ROUNDS, [call('read')], null), {
    output: 'x'.repeat(24_000),
    outcome: 'ok',
  });
  const made = answeredCall(addRound(read, [call('make')], null), { output: '{"ok":true}', outcome: 'ok' });
  const last = answeredCall(addRound(made, [call('again')], null), {
    output: '{"ok":false}',
    outcome: 'conflict',
  });
  expect(answersOf(last)).toEqual(['', '{"ok":true}', '{"ok":false}']);
  expect(countCalls(last)).toBe(3);
});

test('a call knows the status of the task before it, also when the task has moved since', () => {
  const first = answeredCall(begunCall(addRound(NO_ROUNDS, [call('a')], 'in_progress')), answer);
  expect(first.calls[0]?.before).toBe('in_progress');
  expect(addRound(first, [call('b')], 'review').calls[0]?.before).toBe('review');
});

import { expect, test } from 'vitest';
import { addRound, answeredCall, NO_ROUNDS } from '../../machines/shared/rounds.ts';
import { runInHand, runText } from './run-in-hand.ts';

const call = (name: string) => ({ callId: name, name, arguments: '{"secret":"x"}' });
const first = answeredCall(addRound(NO_ROUNDS, [call('task_load')], null), { output: '{}', outcome: 'ok' });
const second = addRound(first, [call('task_status'), call('a name from a model')], null);
const acting = { working: { acting: 'calling' } };

test('the round and the call of a notification and of a beat', () => {
  expect(runInHand({ value: acting, context: { entry: { rounds: second } } })).toEqual({
    round: 2,
    call: { tool: 'task_status', number: 1, of: 2 },
  });
  expect(runInHand({ value: { working: 'running' }, context: { rounds: first } })).toEqual({
    round: 2,
    call: null,
  });
});

test('a name that a model made up is not told, and no arguments are', () => {
  const later = answeredCall(second, { output: '{}', outcome: 'ok' });
  const run = runInHand({ value: acting, context: { rounds: later } });
  expect(run?.call).toEqual({ tool: 'unknown', number: 2, of: 2 });
  expect(runText(run)).toBe('round 2: unknown (2 of 2)');
});

test('what has no run open has none in hand', () => {
  expect(runInHand({ value: { working: 'resting' }, context: { rounds: second } })).toBeNull();
  expect(runInHand({ value: 'queueing', context: { rounds: first } })).toBeNull();
  expect(runInHand({ status: 'active' })).toBeNull();
  expect(runText(runInHand({ value: { working: 'running' }, context: { rounds: NO_ROUNDS } }))).toBeNull();
});

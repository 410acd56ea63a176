import { expect, test } from 'vitest';
import type { FaultKind } from '../shared/fault.ts';
import { extendStreak, isCommonTrouble, type Streak } from './streak.ts';

const streakOf = (...runs: [session: string, kind: FaultKind][]): Streak =>
  runs.reduce<Streak>((streak, [session, kind]) => extendStreak(streak, { session, kind }), []);

test.each<[string, Streak, boolean]>([
  ['two failures', streakOf(['a', 'runFailed'], ['b', 'runFailed']), false],
  ['three of three sessions', streakOf(['a', 'runFailed'], ['b', 'runFailed'], ['c', 'runFailed']), true],
  ['three of two sessions', streakOf(['a', 'runFailed'], ['b', 'runFailed'], ['a', 'runFailed']), true],
  ['three of one session', streakOf(['a', 'runFailed'], ['a', 'runFailed'], ['a', 'runFailed']), false],
  ['three of different kinds', streakOf(['a', 'runFailed'], ['b', 'runTimedOut'], ['c', 'runFailed']), false],
  [
    'the last three count, whatever was before',
    streakOf(['a', 'runTimedOut'], ['a', 'runFailed'], ['b', 'runFailed'], ['c', 'runFailed']),
    true,
  ],
])('common trouble: %s', (_what, streak, expected) => {
  expect(isCommonTrouble(streak)).toBe(expected);
});

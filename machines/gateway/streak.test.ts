import { expect, test } from 'vitest';
import type { FaultKind } from '../shared/fault.ts';
import { extendStreak, isCommonTrouble, type Streak } from './streak.ts';

const streakOf = (...runs: [session: string, kind: FaultKind][]): Streak =>
  runs.reduce<Streak>((streak, [session, kind]) => extendStreak(streak, { session, kind }), []);

const failures = (...sessions: string[]): Streak =>
  streakOf(...sessions.map((session): [string, FaultKind] => [session, 'runFailed']));

test.each<[string, Streak, boolean]>([
  ['two failures', failures('a/1', 'b/1'), false],
  ['three of three agents', failures('a/1', 'b/1', 'c/1'), true],
  ['three of two agents', failures('a/1', 'b/1', 'a/1'), true],
  ['three of one agent, on different tasks', failures('a/1', 'a/2', 'a/3'), false],
  [
    'three of different kinds',
    streakOf(['a/1', 'runFailed'], ['b/1', 'runTimedOut'], ['c/1', 'runFailed']),
    false,
  ],
  [
    'the last three count, whatever was before',
    streakOf(['a/1', 'runTimedOut'], ['a/1', 'runFailed'], ['b/1', 'runFailed'], ['c/1', 'runFailed']),
    true,
  ],
])('common trouble: %s', (_what, streak, expected) => {
  expect(isCommonTrouble(streak, false)).toBe(expected);
});

test.each<[string, Streak, boolean]>([
  ['one of its tasks', failures('a/1', 'a/1', 'a/1'), false],
  ['two of its tasks', failures('a/1', 'a/2', 'a/1'), true],
  ['a task and its heartbeat', failures('a/1', 'a/system', 'a/1'), false],
])('common trouble where the account has one agent: %s', (_what, streak, expected) => {
  expect(isCommonTrouble(streak, true)).toBe(expected);
});

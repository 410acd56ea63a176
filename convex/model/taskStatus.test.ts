import { expect, test } from 'vitest';
import { agentStatusPath, isAgentSettable } from './taskStatus.ts';

test.each([
  ['assigned', 'review', ['in_progress', 'review']],
  ['blocked', 'review', ['in_progress', 'review']],
  ['in_progress', 'done', ['review', 'done']],
  ['review', 'in_progress', ['in_progress']],
  ['review', 'review', []],
  ['inbox', 'in_progress', null],
  ['done', 'in_progress', null],
  ['archived', 'blocked', null],
] as const)('from %s to %s: %j', (from, to, path) => {
  expect(agentStatusPath(from, to)).toEqual(path);
});

test('an agent sets four of the seven', () => {
  const all = ['inbox', 'assigned', 'in_progress', 'review', 'done', 'blocked', 'archived'];
  expect(all.filter(isAgentSettable)).toEqual(['in_progress', 'review', 'done', 'blocked']);
});

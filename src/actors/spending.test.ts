import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../test/kits/runtime.ts';
import { openTestStore } from '../../test/kits/store.ts';
import { createSpending } from './spending.ts';

const ENGINEER = { _id: 'a1', slug: 'engineer' };
const QA = { _id: 'a2', slug: 'qa' };
const NOON = Date.UTC(2026, 10, 29, 12);

test('adds up by agent and UTC day, survives a restart, and begins anew at midnight', () => {
  const { store } = openTestStore(temporaryDirectory());
  let now = NOON;
  const spending = createSpending(store, () => now);
  expect(spending.add(ENGINEER, null)).toBe(null);
  spending.add(ENGINEER, { inputTokens: 10, outputTokens: 5 });
  expect(spending.add(ENGINEER, { inputTokens: 1, outputTokens: 1 })).toEqual({
    agentId: 'a1',
    agent: 'engineer',
    tokens: 17,
    used: 2,
    dayEndsInMs: 43_200_000,
  });
  spending.add(QA, { inputTokens: 100, outputTokens: 0 });

  const next = createSpending(store, () => now);
  expect(next.today().map(({ agent, tokens }) => [agent, tokens])).toEqual([
    ['engineer', 17],
    ['qa', 100],
  ]);
  now += 43_200_000;
  expect(next.today()).toEqual([]);
  next.add(ENGINEER, { inputTokens: 3, outputTokens: 0 });
  expect(next.days().map(({ day, agent, input, output }) => [day, agent, input, output])).toEqual([
    ['2026-11-30', 'engineer', 3, 0],
    ['2026-11-29', 'qa', 100, 0],
    ['2026-11-29', 'engineer', 11, 6],
  ]);
});

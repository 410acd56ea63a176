import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AgentRow } from '../shared/mission-control.ts';
import { beatDelay, firstBeatDelay } from './rhythm.ts';

const agent = (heartbeatInterval?: number): AgentRow => ({
  _id: 'a',
  name: 'A',
  slug: 'a',
  role: 'r',
  systemSessionKey: 'system:agent:a:acc:v1',
  effectiveBehaviorFlags: {
    canCreateTasks: false,
    canModifyTaskStatus: true,
    canCreateDocuments: true,
    canMentionAgents: true,
    canReviewTasks: false,
    canMarkDone: false,
  },
  ...(heartbeatInterval !== undefined && { heartbeatInterval }),
});

test('a beat comes after the interval and up to 30 s', () => {
  expect(beatDelay(agent(2), 0)).toBe(120_000);
  expect(beatDelay(agent(2), 0.999999)).toBe(149_999);
});

test('15 minutes without an interval, or with one that makes no sense', () => {
  for (const one of [agent(), agent(0), agent(-3), agent(Number.NaN), agent(Infinity)]) {
    expect(beatDelay(one, 0)).toBe(900_000);
  }
});

test('the first beat is spread over 0.4 of the interval, at most 2 minutes', () => {
  expect(firstBeatDelay(agent(1), 0.999999)).toBe(24_000);
  expect(firstBeatDelay(agent(60), 0.999999)).toBe(120_000);
  expect(firstBeatDelay(agent(60), 0)).toBe(1);
});

test('no delay is beyond what a timer can hold', () => {
  const minutes = fc.double({ min: -10, max: 1e12 });
  fc.assert(
    fc.property(minutes, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (interval, draw) => {
      for (const delay of [beatDelay(agent(interval), draw), firstBeatDelay(agent(interval), draw)]) {
        expect(Number.isInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(1);
        expect(delay).toBeLessThanOrEqual(2 ** 31 - 1);
      }
    }),
  );
});

import { describe, expect, test } from 'vitest';
import { actor, step } from '../../../test/kits/samples/inspector.ts';
import { activeIds } from './chart.ts';
import { filterRows } from './filter.ts';
import { countsText, treeRows } from './forest.ts';
import { duration, eventText, nameOf, stateText } from './format.ts';
import type { LogRow } from './model.ts';
import { lifelineOf } from './sequence.ts';

test.each([
  ['xstate.after.pollInterval.delivery.active.poll.waiting', null, 'after pollInterval'],
  ['xstate.done.actor.0.notification.running', 'runAgent', 'done: runAgent'],
  ['xstate.error.actor.delivery', null, 'error: delivery'],
  ['xstate.init', null, 'start'],
  ['gateway.lost', null, 'gateway.lost'],
])('the event %s reads %s', (type, call, text) => {
  expect(eventText(type, call)).toBe(text);
});

test.each([
  [-5, '0.0 s'],
  [3_240, '3.2 s'],
  [48_000, '48 s'],
  [300_000, '5 min'],
  [86_400_000, '24 h'],
])('%i ms reads %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test('states and names are as short as they can be', () => {
  expect(stateText(['active.gate.open', 'active.poll.waiting'])).toBe('gate.open · poll.waiting');
  expect(stateText(['connected.steady'])).toBe('connected.steady');
  expect(stateText([])).toBe('');
  expect(nameOf(null)).toBe('outside');
  expect(nameOf('supervisor/delivery')).toBe('delivery');
  expect(nameOf(`supervisor/delivery/notification:${'a'.repeat(26)}123456/${'b'.repeat(26)}654321`)).toBe(
    'notification:…123456/…654321',
  );
});

test('the live states of a chart are the leaves and all around them', () => {
  expect(activeIds('delivery', ['active.gate.open', 'active.mode.accepting'])).toEqual([
    'delivery',
    'delivery.active',
    'delivery.active.gate',
    'delivery.active.gate.open',
    'delivery.active.mode',
    'delivery.active.mode.accepting',
  ]);
});

test('sessions and heartbeats share a lifeline each', () => {
  expect(lifelineOf(null)).toBe(0);
  expect(lifelineOf('supervisor/delivery/notification:a/b')).toBe(
    lifelineOf('supervisor/delivery/notification:c/d'),
  );
  expect(lifelineOf('supervisor/heartbeat:qa')).toBe(lifelineOf('supervisor/heartbeat:dev'));
  expect(new Set(['supervisor', 'supervisor/gateway', 'supervisor/delivery'].map(lifelineOf)).size).toBe(3);
});

describe('the tree', () => {
  const sessions = Array.from({ length: 30 }, (_, i) =>
    actor(`supervisor/delivery/notification:a/t${i}`, { states: [i < 10 ? 'running' : 'waiting'] }),
  );
  const actors = new Map(
    [actor('supervisor'), actor('supervisor/gateway'), actor('supervisor/delivery'), ...sessions].map(
      (one) => [one.path, one],
    ),
  );
  const keys = (toggled: string[], search = ''): string[] =>
    treeRows(actors, new Set(toggled), search).map(({ key }) => key);
  const GROUP = 'supervisor/delivery/notification*';

  test('folds notifications into one row that counts them by state', () => {
    const rows = treeRows(actors, new Set(), '');
    expect(rows.map(({ key }) => key)).toEqual([
      'supervisor',
      'supervisor/gateway',
      'supervisor/delivery',
      GROUP,
    ]);
    const group = rows.at(-1);
    expect(group?.kind === 'group' && countsText(group)).toBe('waiting 20 · running 10');
  });

  test('unfolds them, and folds what is open', () => {
    expect(keys([GROUP])).toHaveLength(4 + 30);
    expect(keys(['supervisor'])).toEqual(['supervisor']);
    expect(keys(['supervisor/delivery'])).toEqual([
      'supervisor',
      'supervisor/gateway',
      'supervisor/delivery',
    ]);
  });

  test('finds by id and by state, with all that is above', () => {
    expect(keys([], 't17')).toEqual([
      'supervisor',
      'supervisor/delivery',
      GROUP,
      'supervisor/delivery/notification:a/t17',
    ]);
    expect(keys([], 'RUNNING')).toHaveLength(3 + 10);
    expect(keys([], 'nobody')).toEqual([]);
  });
});

test('the log is filtered by sender or receiver, by event in either spelling, and by change', () => {
  const rows = [
    step(1),
    step(2, { path: 'supervisor/delivery', from: null, event: 'xstate.after.pollInterval.x' }),
    step(3, { by: null, event: 'signal.terminate' }),
  ].flatMap((entry): LogRow[] => (entry.kind === 'step' ? [{ ...entry, isSteady: false }] : []));
  const found = (filter: Partial<Parameters<typeof filterRows>[1]>): number[] =>
    filterRows(rows, { actor: '', event: '', changesOnly: false, ...filter }).map(({ seq }) => seq);
  expect(found({})).toEqual([1, 2, 3]);
  expect(found({ actor: 'delivery' })).toEqual([2]);
  expect(found({ actor: 'outside' })).toEqual([3]);
  expect(found({ event: 'after poll' })).toEqual([2]);
  expect(found({ event: 'XSTATE.after' })).toEqual([2]);
  expect(found({ changesOnly: true })).toEqual([1, 3]);
  expect(found({ actor: 'gateway', event: 'signal' })).toEqual([3]);
});

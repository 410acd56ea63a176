import { describe, expect, test } from 'vitest';
import { LANES_SHOWN, lanesReport } from './lanes.ts';
import { statePaths } from './state-paths.ts';
import type { StateValue } from 'xstate';
import type { MachineReport } from './report.ts';

const lane = (id: number, value: StateValue): MachineReport => ({
  id: `lane-${id}`,
  title: null,
  value,
  tags: ['busy'],
  since: '2026-01-01T00:00:00.000Z',
  nextTimerAt: null,
  restarts: 0,
});

const asItIs = (report: MachineReport): MachineReport => report;

describe('statePaths', () => {
  test('gives one path per leaf', () => {
    expect(statePaths('polling')).toEqual(['polling']);
    expect(statePaths({ connected: 'steady' })).toEqual(['connected.steady']);
    expect(statePaths({ gate: 'open', poll: { waiting: 'idle' } })).toEqual([
      'gate.open',
      'poll.waiting.idle',
    ]);
    expect(statePaths({ gate: {}, mode: undefined })).toEqual(['gate', 'mode']);
  });
});

describe('lanesReport', () => {
  test('lists a few lanes in full', () => {
    const lanes = [lane(1, 'running'), lane(2, 'posting')];
    expect(lanesReport(lanes, asItIs)).toEqual({ total: 2, shown: lanes, rest: {} });
  });

  test('lists those with nothing to do last', () => {
    const report = lanesReport([lane(1, 'waiting'), lane(2, 'running')], asItIs);
    expect(report.shown.map(({ id }) => id)).toEqual(['lane-2', 'lane-1']);
  });

  test('counts the lanes past the bound by state', () => {
    const lanes = Array.from({ length: LANES_SHOWN + 5 }, (_, i) =>
      lane(i, i % 2 === 0 ? 'running' : { retrying: 'waiting' }),
    );
    const report = lanesReport(lanes, asItIs);
    expect(report.total).toBe(55);
    expect(report.shown).toEqual(lanes.slice(0, 50));
    expect(report.rest).toEqual({ running: 3, 'retrying.waiting': 2 });
  });
});

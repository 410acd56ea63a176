import { describe, expect, test } from 'vitest';
import { SESSIONS_SHOWN, sessionsReport } from './sessions.ts';
import { statePaths } from './state-paths.ts';
import type { StateValue } from 'xstate';
import type { MachineReport } from './report.ts';

const session = (id: number, value: StateValue): MachineReport => ({
  id: `notification:${id}`,
  title: null,
  value,
  tags: ['busy'],
  since: '2026-01-01T00:00:00.000Z',
  nextTimerAt: null,
  lastSignAt: null,
  until: null,
  run: null,
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

describe('sessionsReport', () => {
  test('lists a few sessions in full', () => {
    const sessions = [session(1, 'running'), session(2, 'posting')];
    expect(sessionsReport(sessions, asItIs)).toEqual({ total: 2, shown: sessions, rest: {} });
  });

  test('counts the sessions past the bound by state', () => {
    const sessions = Array.from({ length: SESSIONS_SHOWN + 5 }, (_, i) =>
      session(i, i % 2 === 0 ? 'running' : { retrying: 'waiting' }),
    );
    const report = sessionsReport(sessions, asItIs);
    expect(report.total).toBe(55);
    expect(report.shown).toEqual(sessions.slice(0, 50));
    expect(report.rest).toEqual({ running: 3, 'retrying.waiting': 2 });
  });
});

import { describe, expect, test } from 'vitest';
import { parseReport, type Report } from './report.ts';
import { duration, statusLines } from './tree.ts';

const NOW = Date.parse('2026-01-01T00:01:00.000Z');

const machine = (id: string, value: unknown, tags: string[], more: object = {}) => ({
  id,
  value,
  tags,
  since: '2026-01-01T00:00:00.000Z',
  nextTimerAt: null,
  until: null,
  restarts: 0,
  ...more,
});

const answer = {
  status: 'degraded',
  reason: 'The gateway is away.',
  problems: [
    {
      source: 'gateway',
      problem: 'The gateway is away.',
      since: '2026-01-01T00:00:30.000Z',
      nextTryAt: '2026-01-01T00:01:05.000Z',
    },
  ],
  uptime: 3_725,
  versions: { runtime: '1.0.0', openclaw: '2026.1.1', node: '24' },
  delivery: { delivered: 12, failed: 1, parked: 2, inFlight: 3, queued: 4, waiting: 7 },
  machines: [
    machine('supervisor', 'running', ['ready']),
    machine('gateway', { degraded: 'resting' }, ['degraded'], { nextTimerAt: '2026-01-01T00:01:05.000Z' }),
    machine('delivery', { active: { gate: 'closed', poll: 'waiting' } }, ['degraded'], { restarts: 1 }),
    machine('heartbeat:qa', 'resting', ['ready']),
  ],
  sessions: {
    total: 4,
    shown: [machine('notification:a', 'running', ['busy'], { until: '2026-01-01T00:10:00.000Z' })],
    rest: { running: 2, retrying: 1 },
  },
};

const plain = { now: NOW, url: 'http://127.0.0.1:3000', paint: (_: string, text: string) => text };

function parsed(json: unknown): Report {
  const report = parseReport(json);
  if (report === null) throw new Error('not a report');
  return report;
}

test('shows the machines as a tree, with sessions below delivery and what is not well below all', () => {
  expect(statusLines(parsed(answer), plain)).toEqual([
    '● degraded  The gateway is away.',
    'up 1 h 2 min · runtime 1.0.0 · OpenClaw 2026.1.1 · http://127.0.0.1:3000',
    'delivered 12 · failed 1 · parked 2 · in flight 3 · queued 4 · waiting 7',
    '',
    'supervisor             running                   for 1 min',
    '├─ gateway             degraded.resting          for 1 min, next in 5 s',
    '├─ delivery            gate.closed poll.waiting  for 1 min, restarted 1 time',
    '│  ├─ notification:a   running                   for 1 min, cut off in 9 min',
    '│  └─ 3 more sessions  2 running, 1 retrying',
    '└─ heartbeat:qa        resting                   for 1 min',
    '',
    'not well',
    'gateway: The gateway is away. for 30 s, next try in 5 s',
  ]);
});

test('calls a session by its agent and its task', () => {
  const supervisor = machine('supervisor', 'running', ['ready'], { title: 'engineer · Fix the login bug' });
  const lines = statusLines(parsed({ ...answer, machines: [supervisor] }), plain);
  expect(lines.join('\n')).toContain('engineer · Fix the login bug  running');
});

test('colours each state by the gravest of its tags', () => {
  const painted = statusLines(parsed(answer), {
    ...plain,
    paint: (colour, text) => `<${colour}>${text.trim()}`,
  });
  expect(painted[0]).toBe('<yellow>● degraded  The gateway is away.');
  expect(painted.join('\n')).toMatch(/supervisor +<green>running/);
  expect(painted.join('\n')).toMatch(/gateway +<yellow>degraded.resting/);
  expect(painted.join('\n')).toMatch(/notification:a +<blue>running/);
});

test('counts many heartbeats by state', () => {
  const beats = Array.from({ length: 11 }, (_, i) =>
    machine(`heartbeat:a${i}`, i < 4 ? 'beating' : 'resting', ['ready']),
  );
  const report = parsed({ ...answer, machines: [machine('supervisor', 'running', ['ready']), ...beats] });
  expect(statusLines(report, plain).join('\n')).toMatch(/├─ 11 heartbeats +4 beating, 7 resting/);
});

test('lets nothing through that would steer a terminal', () => {
  const report = parsed({ ...answer, reason: 'a\u001b[2Jb\nc\u009bd' });
  expect(statusLines(report, plain)[0]).toBe('● degraded  a [2Jb c d');
});

describe('parseReport', () => {
  test.each([
    ['nothing', null],
    ['a text', 'text'],
    ['an empty object', {}],
    ['a status that there is not', { ...answer, status: 'odd' }],
    ['a machine without a state', { ...answer, machines: [{ id: 'gateway' }] }],
  ])('refuses %s', (_, json) => expect(parseReport(json)).toBeNull());
});

test.each([
  [-5, '0 s'],
  [400, '0 s'],
  [1_500, '2 s'],
  [59_700, '1 min'],
  [3_725_000, '1 h 2 min'],
  [90_061_000, '1 d 1 h'],
])('%d ms is %s', (ms, told) => expect(duration(ms)).toBe(told));

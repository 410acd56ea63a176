import { expect, test } from 'vitest';
import { judge, type UpgradeFacts, type UpgradeVerdict } from './judge.ts';

const running = { openclawVersion: '2026.9.6', runtimeVersion: '1.0.0' };
const pending = {
  targetOpenclawVersion: '2026.9.6',
  targetRuntimeVersion: '1.1.0',
  initiatedAt: 1_000,
  initiatedBy: 'admin',
  strategy: 'rolling',
} as const;
const nothing: UpgradeFacts = { pending: null, restartRequested: false, running, leftFor: null };
const leftFor = { request: pending, from: running };

const CASES: [string, Partial<UpgradeFacts>, 'exit' | 'notify', UpgradeVerdict][] = [
  ['nothing is asked for', {}, 'exit', 'current'],
  ['an upgrade is asked for', { pending }, 'exit', 'leave'],
  ['an upgrade is asked for, and we only tell', { pending }, 'notify', 'available'],
  ['we left for it and came back as we were', { pending, leftFor }, 'exit', 'heldBack'],
  [
    'a new request for the same target',
    { pending: { ...pending, initiatedAt: 2_000 }, leftFor },
    'exit',
    'leave',
  ],
  [
    'a request for another target',
    { pending: { ...pending, targetRuntimeVersion: '1.2.0' }, leftFor },
    'exit',
    'leave',
  ],
  [
    'we came back as something else than the target',
    { pending, leftFor: { request: pending, from: { ...running, runtimeVersion: '0.9.0' } } },
    'exit',
    'leave',
  ],
  ['the target is reached', { pending, running: { ...running, runtimeVersion: '1.1.0' } }, 'exit', 'current'],
  [
    'only OpenClaw is to change',
    { pending: { ...pending, targetRuntimeVersion: '1.0.0', targetOpenclawVersion: '2026.10.0' } },
    'exit',
    'leave',
  ],
  [
    'the runtime is at its target and the gateway has not said its version',
    { pending, running: { runtimeVersion: '1.1.0', openclawVersion: 'unknown' } },
    'exit',
    'current',
  ],
  [
    'held back, and the gateway has not said its version yet',
    { pending, leftFor, running: { ...running, openclawVersion: 'unknown' } },
    'exit',
    'heldBack',
  ],
  ['a restart is asked for', { restartRequested: true }, 'exit', 'leave'],
  ['a restart is asked for, and upgrades are only told', { restartRequested: true }, 'notify', 'leave'],
  ['a restart is asked for while held back', { restartRequested: true, pending, leftFor }, 'exit', 'leave'],
];

test.each(CASES)('%s', (_what, facts, mode, verdict) => {
  expect(judge({ ...nothing, ...facts }, mode).verdict).toBe(verdict);
});

test('held back says what was asked for, when, and what to do', () => {
  expect(judge({ ...nothing, pending, leftFor }, 'exit').notice).toBe(
    'upgrade to runtime 1.1.0 with OpenClaw 2026.9.6 asked for at 1970-01-01T00:00:01.000Z, this image is still runtime 1.0.0 with OpenClaw 2026.9.6: run the upgrade script',
  );
});

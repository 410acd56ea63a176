import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fault } from '../../machines/shared/fault.ts';
import type { PendingUpgrade } from '../../machines/shared/mission-control.ts';
import type { UpgradeResult } from '../ports.ts';
import { createUpgradeResultReporter } from './upgrade-result.ts';

const PENDING: PendingUpgrade = {
  targetOpenclawVersion: '2026.2.1',
  targetRuntimeVersion: '1.1.0',
  initiatedAt: 1,
  initiatedBy: 'somebody',
  strategy: 'immediate',
};

const RESULT: UpgradeResult = {
  status: 'rolled_back',
  fromOpenclawVersion: '2026.1.1',
  toOpenclawVersion: '2026.2.1',
  fromRuntimeVersion: '1.0.0',
  toRuntimeVersion: '1.1.0',
  duration: 90_000,
  error: 'The new image did not become healthy.',
};

let stateDir: string;
let told: UpgradeResult[];
let warnings: string[];
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'upgrade-result-'));
  [told, warnings] = [[], []];
});
afterEach(() => rmSync(stateDir, { recursive: true }));

const leave = (text: string): void => writeFileSync(join(stateDir, 'upgrade-result.json'), text);

/** Of the runtime that an upgrade to 1.1.0 with OpenClaw 2026.2.1 led to, or the one before it after a roll-back. */
function reporter({ refusal, pending = null }: { refusal?: Fault; pending?: PendingUpgrade | null } = {}) {
  const report = createUpgradeResultReporter({
    stateDir,
    versions: () => ({ openclawVersion: '2026.2.1', runtimeVersion: '1.1.0' }),
    missionControl: {
      getPendingUpgrade: () => Promise.resolve(pending),
      recordUpgradeResult: (result) => {
        if (refusal) return Promise.reject(refusal);
        told.push(result);
        return Promise.resolve();
      },
    },
    log: { info: () => undefined, warn: (_, message) => warnings.push(message) },
  });
  return () => report(AbortSignal.timeout(5_000));
}

test('a roll-back is told once, and the file goes', async () => {
  leave(JSON.stringify({ ...RESULT, extra: 1 }));
  const report = reporter();
  await report();
  await report();
  expect(told).toEqual([RESULT]);
  expect(readdirSync(stateDir)).toEqual([]);
  expect(warnings).toEqual([]);
});

test.for<[string, boolean, PendingUpgrade | null, 'told' | 'not told']>([
  ['nobody asked for it', false, null, 'told'],
  ['the versions of a status report have settled the request', true, null, 'not told'],
  ['the request is still there, and is what runs', true, PENDING, 'told'],
  ['another upgrade is asked for', true, { ...PENDING, targetRuntimeVersion: '1.2.0' }, 'not told'],
])('a success, and %s', async ([, requested, pending, outcome]) => {
  const success: UpgradeResult = { ...RESULT, status: 'success' };
  leave(JSON.stringify({ ...success, requested }));
  await reporter({ pending })();
  expect(told).toEqual(outcome === 'told' ? [success] : []);
  expect(readdirSync(stateDir)).toEqual([]);
});

test('a roll-back is told whatever is asked for', async () => {
  leave(JSON.stringify({ ...RESULT, requested: true }));
  await reporter({ pending: { ...PENDING, targetRuntimeVersion: '1.2.0' } })();
  expect(told).toEqual([RESULT]);
});

test('a file that cannot be read is named, and is no reason to fail', async () => {
  mkdirSync(join(stateDir, 'upgrade-result.json'));
  expect(await reporter()()).toMatch(
    /upgrade-result\.json cannot be read \(EISDIR\), so .*: remove the file, or/,
  );
  expect(told).toEqual([]);
});

test('without a file there is nothing to do', async () => {
  await reporter()();
  expect(told).toEqual([]);
});

test.for(['', '{', '[]', '{"status":"done"}', JSON.stringify({ ...RESULT, duration: 'long' })])(
  'what is no result is set aside with one warning: %s',
  async (text) => {
    leave(text);
    const report = reporter();
    await report();
    await report();
    expect(told).toEqual([]);
    expect(readdirSync(stateDir)).toEqual(['upgrade-result.json.refused']);
    expect(warnings).toEqual([expect.stringContaining('not the result of an upgrade')]);
  },
);

test('the file stays while Mission Control is away', async () => {
  leave(JSON.stringify(RESULT));
  await expect(reporter({ refusal: new Fault('backendUnavailable', 'away') })()).rejects.toThrow('away');
  expect(existsSync(join(stateDir, 'upgrade-result.json'))).toBe(true);
  await reporter()();
  expect(told).toEqual([RESULT]);
});

test('a result that Mission Control refuses does not come up again', async () => {
  leave(JSON.stringify(RESULT));
  await reporter({ refusal: new Fault('backendRejected', 'no such runtime') })();
  expect(readdirSync(stateDir)).toEqual(['upgrade-result.json.refused']);
  expect(warnings).toEqual([expect.stringContaining('no such runtime')]);
});

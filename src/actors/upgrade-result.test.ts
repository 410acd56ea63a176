import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fault } from '../../machines/shared/fault.ts';
import type { UpgradeResult } from '../ports.ts';
import { createUpgradeResultReporter } from './upgrade-result.ts';

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

function reporter(refusal?: Fault) {
  const report = createUpgradeResultReporter({
    stateDir,
    missionControl: {
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

test('a success is not told: the versions say it', async () => {
  leave(JSON.stringify({ ...RESULT, status: 'success' }));
  await reporter()();
  expect(told).toEqual([]);
  expect(readdirSync(stateDir)).toEqual([]);
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
  await expect(reporter(new Fault('backendUnavailable', 'away'))()).rejects.toThrow('away');
  expect(existsSync(join(stateDir, 'upgrade-result.json'))).toBe(true);
  await reporter()();
  expect(told).toEqual([RESULT]);
});

test('a result that Mission Control refuses does not come up again', async () => {
  leave(JSON.stringify(RESULT));
  await reporter(new Fault('backendRejected', 'no such runtime'))();
  expect(readdirSync(stateDir)).toEqual(['upgrade-result.json.refused']);
  expect(warnings).toEqual([expect.stringContaining('no such runtime')]);
});

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { Fault } from '../../machines/shared/fault.ts';
import { judge, type UpgradeFacts } from '../../machines/upgrade/judge.ts';
import type { PendingUpgrade } from '../../machines/shared/mission-control.ts';
import { createUpgradeActors } from './upgrade.ts';

const PENDING: PendingUpgrade = {
  targetOpenclawVersion: '2026.9.6',
  targetRuntimeVersion: '1.1.0',
  initiatedAt: 1,
  initiatedBy: 'somebody',
  strategy: 'immediate',
};

/** One look at what is asked for, by a runtime whose disk has failed. */
function check(
  pending: PendingUpgrade | null,
  restartRequested: boolean,
  asked = true,
): Promise<UpgradeFacts> {
  const fails = () => Promise.reject(new Fault('journalUnavailable', 'The disk is gone.'));
  const { checkUpgrade } = createUpgradeActors({
    missionControl: {
      getPendingUpgrade: () => Promise.resolve(pending),
      checkAndClearRestartRequested: () => Promise.resolve(restartRequested),
      recordUpgradeResult: () => Promise.reject(new Error('there is no result to tell')),
    },
    store: { read: () => null, put: () => undefined, remove: () => undefined, synced: fails, catchUp: fails },
    stateDir: join(tmpdir(), 'there-is-no-such-directory'),
    versions: () => ({ openclawVersion: '2026.9.6', runtimeVersion: '1.0.0' }),
    log: { info: () => undefined, warn: () => undefined },
  });
  return toPromise(createActor(checkUpgrade, { input: { asked } }).start());
}

test('what cannot be remembered is not left for: each start would leave again', async () => {
  expect(judge(await check(PENDING, false), 'exit').verdict).toBe('heldBack');
});

test('a restart is, for asking clears it', async () => {
  expect(judge(await check(PENDING, true), 'exit').verdict).toBe('leave');
  expect(judge(await check(null, true), 'exit').verdict).toBe('leave');
});

test('where Mission Control says that it asks for nothing, it is not asked', async () => {
  expect(await check(PENDING, true, false)).toMatchObject({ pending: null, restartRequested: false });
});

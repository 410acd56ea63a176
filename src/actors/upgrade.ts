import * as v from 'valibot';
import { fromPromise } from 'xstate';
import { faultOf } from '../../machines/shared/fault.ts';
import type { UpgradeFacts } from '../../machines/upgrade/judge.ts';
import type { PendingUpgrade } from '../../machines/shared/mission-control.ts';
import type { Store } from '../journal/store.ts';
import type { Log } from '../logging/log.ts';
import type { MissionControl } from '../ports.ts';
import { createUpgradeResultReporter } from './upgrade-result.ts';

export interface UpgradeSurroundings {
  missionControl: Pick<
    MissionControl,
    'getPendingUpgrade' | 'checkAndClearRestartRequested' | 'recordUpgradeResult'
  >;
  store: Pick<Store, 'read' | 'put' | 'remove' | 'synced' | 'catchUp'>;
  stateDir: string;
  versions: () => UpgradeFacts['running'];
  log: Pick<Log, 'info' | 'warn'>;
}

/** The I/O of the upgrade machine: what is asked of this runtime, and the memory of what it left for. */
export function createUpgradeActors(around: UpgradeSurroundings) {
  const { missionControl, store, versions } = around;
  const reportResult = createUpgradeResultReporter(around);
  return {
    tellResult: fromPromise<string | null>(({ signal }) => reportResult(signal)),
    checkUpgrade: fromPromise<UpgradeFacts, { asked: boolean }>(async ({ input: { asked }, signal }) => {
      const pending = asked ? await missionControl.getPendingUpgrade(signal) : null;
      const running = versions();
      const leftFor = await readLeftFor(store, pending, running);
      // Last, because reading it clears it: nothing may fail between here and acting on it.
      const restartRequested = asked && (await missionControl.checkAndClearRestartRequested(signal));
      return { pending, restartRequested, running, leftFor };
    }),
    rememberExit: fromPromise<void, { pending: PendingUpgrade | null }>(async ({ input: { pending } }) => {
      if (pending === null) return;
      const { openclawVersion, runtimeVersion } = versions();
      const { targetOpenclawVersion, targetRuntimeVersion, initiatedAt } = pending;
      store.put(UPGRADE_EXIT, {
        targetOpenclawVersion,
        targetRuntimeVersion,
        initiatedAt,
        fromOpenclawVersion: openclawVersion,
        fromRuntimeVersion: runtimeVersion,
      });
      await store.synced();
    }),
  };
}

/** The key of the upgrade that an earlier process exited for. */
const UPGRADE_EXIT = 'upgrade-exit';

const UpgradeExit = v.object({
  targetOpenclawVersion: v.string(),
  targetRuntimeVersion: v.string(),
  initiatedAt: v.number(),
  fromOpenclawVersion: v.string(),
  fromRuntimeVersion: v.string(),
});

async function readLeftFor(
  store: UpgradeSurroundings['store'],
  pending: PendingUpgrade | null,
  running: UpgradeFacts['running'],
): Promise<UpgradeFacts['leftFor']> {
  if (pending === null) {
    // The request is over, whatever came of it.
    store.remove(UPGRADE_EXIT);
    return null;
  }
  try {
    await store.catchUp();
  } catch (error) {
    if (faultOf(error).kind !== 'journalUnavailable') throw error;
    // The process leaves only for an upgrade that the journal remembers: otherwise each start would leave again.
    return { request: pending, from: running };
  }
  const exit = v.parse(v.nullable(UpgradeExit), store.read(UPGRADE_EXIT));
  if (exit === null) return null;
  return {
    request: exit,
    from: { openclawVersion: exit.fromOpenclawVersion, runtimeVersion: exit.fromRuntimeVersion },
  };
}

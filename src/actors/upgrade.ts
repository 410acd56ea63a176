import { fromPromise } from 'xstate';
import { faultOf } from '../../machines/shared/fault.ts';
import type { UpgradeFacts } from '../../machines/upgrade/judge.ts';
import type { PendingUpgrade } from '../../machines/shared/mission-control.ts';
import type { Log } from '../logging/log.ts';
import type { Journal, MissionControl } from '../ports.ts';
import { createUpgradeResultReporter } from './upgrade-result.ts';

export interface UpgradeSurroundings {
  missionControl: Pick<
    MissionControl,
    'getPendingUpgrade' | 'checkAndClearRestartRequested' | 'recordUpgradeResult'
  >;
  journal: Pick<Journal, 'readUpgradeExit' | 'saveUpgradeExit'>;
  stateDir: string;
  versions: () => UpgradeFacts['running'];
  log: Pick<Log, 'info' | 'warn'>;
}

/** The I/O of the upgrade machine: what is asked of this runtime, and the memory of what it left for. */
export function createUpgradeActors(around: UpgradeSurroundings) {
  const { missionControl, journal, versions } = around;
  const reportResult = createUpgradeResultReporter(around);
  return {
    tellResult: fromPromise<string | null>(({ signal }) => reportResult(signal)),
    checkUpgrade: fromPromise<UpgradeFacts>(async ({ signal }) => {
      const pending = await missionControl.getPendingUpgrade(signal);
      const running = versions();
      const leftFor = readLeftFor(journal, pending, running);
      // Last, because reading it clears it: nothing may fail between here and acting on it.
      const restartRequested = await missionControl.checkAndClearRestartRequested(signal);
      return { pending, restartRequested, running, leftFor };
    }),
    rememberExit: fromPromise<void, { pending: PendingUpgrade | null }>(({ input: { pending } }) => {
      if (pending !== null) {
        const { openclawVersion, runtimeVersion } = versions();
        const { targetOpenclawVersion, targetRuntimeVersion, initiatedAt } = pending;
        journal.saveUpgradeExit({
          targetOpenclawVersion,
          targetRuntimeVersion,
          initiatedAt,
          fromOpenclawVersion: openclawVersion,
          fromRuntimeVersion: runtimeVersion,
        });
      }
      return Promise.resolve();
    }),
  };
}

function readLeftFor(
  journal: UpgradeSurroundings['journal'],
  pending: PendingUpgrade | null,
  running: UpgradeFacts['running'],
): UpgradeFacts['leftFor'] {
  try {
    const exit = journal.readUpgradeExit();
    if (exit === null) return null;
    if (pending === null) {
      // The request is done with, one way or the other.
      journal.saveUpgradeExit(null);
      return null;
    }
    return {
      request: exit,
      from: { openclawVersion: exit.fromOpenclawVersion, runtimeVersion: exit.fromRuntimeVersion },
    };
  } catch (error) {
    if (faultOf(error).kind !== 'journalUnavailable') throw error;
    // What cannot be remembered is not left for: each start would leave again.
    return pending && { request: pending, from: running };
  }
}

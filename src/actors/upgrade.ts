import { fromPromise } from 'xstate';
import type { UpgradeFacts } from '../../machines/upgrade/judge.ts';
import type { PendingUpgrade } from '../../machines/shared/mission-control.ts';
import type { Journal, MissionControl } from '../ports.ts';

export interface UpgradeSurroundings {
  missionControl: MissionControl;
  journal: Journal;
  versions: () => { openclawVersion: string; runtimeVersion: string };
}

/** The I/O of the upgrade machine: what is asked of this runtime, and the memory of what it left for. */
export function createUpgradeActors({ missionControl, journal, versions }: UpgradeSurroundings) {
  return {
    checkUpgrade: fromPromise<UpgradeFacts>(async ({ signal }) => {
      const pending = await missionControl.getPendingUpgrade(signal);
      // Last, because reading it clears it: nothing may fail between here and acting on it.
      const restartRequested = await missionControl.checkAndClearRestartRequested(signal);
      return { pending, restartRequested, running: versions(), leftFor: readLeftFor(journal, pending) };
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

function readLeftFor(journal: Journal, pending: PendingUpgrade | null): UpgradeFacts['leftFor'] {
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
}

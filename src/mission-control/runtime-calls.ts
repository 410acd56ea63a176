import type { MissionControl, RuntimeReport, UpgradeResult } from '../ports.ts';
import type { ServiceClient } from './client.ts';
import { service } from './functions.ts';
import { pendingUpgrade, restartRequest } from './schemas.ts';

type RuntimeCalls = Pick<
  MissionControl,
  'updateRuntimeStatus' | 'checkAndClearRestartRequested' | 'getPendingUpgrade' | 'recordUpgradeResult'
>;

export function runtimeCalls(client: ServiceClient): RuntimeCalls {
  return {
    updateRuntimeStatus: async (status, report, signal) => {
      await client.run(service.updateRuntimeStatus, { status, config: configOf(report) }, signal);
      // The contract's own function does not tell.
      return { asked: true };
    },
    checkAndClearRestartRequested: async (signal) => {
      const answer = await client.read(restartRequest, service.checkAndClearRestartRequested, {}, signal);
      return answer.restartRequested;
    },
    getPendingUpgrade: (signal) => client.read(pendingUpgrade, service.getPendingUpgrade, {}, signal),
    recordUpgradeResult: (result, signal) => client.run(service.recordUpgradeResult, argsOf(result), signal),
  };
}

// Field by field: the backend refuses a call that has a field too many.

export function configOf(report: RuntimeReport): RuntimeReport {
  const { dropletId, ipAddress, region, lastHealthCheck, openclawVersion, runtimeServiceVersion } = report;
  return { dropletId, ipAddress, region, lastHealthCheck, openclawVersion, runtimeServiceVersion };
}

function argsOf(result: UpgradeResult) {
  const {
    status,
    fromOpenclawVersion,
    toOpenclawVersion,
    fromRuntimeVersion,
    toRuntimeVersion,
    duration,
    error,
  } = result;
  return {
    status,
    fromOpenclawVersion,
    toOpenclawVersion,
    fromRuntimeVersion,
    toRuntimeVersion,
    duration,
    error,
  };
}

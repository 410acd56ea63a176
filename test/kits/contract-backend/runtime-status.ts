import * as v from 'valibot';
import type { RuntimeStatus } from '../../../machines/shared/mission-control.ts';
import type { RuntimeConfig } from './rows.ts';
import type { Store } from './store.ts';

export const reportArgs = {
  status: v.picklist(['provisioning', 'online', 'degraded', 'offline', 'error']),
  config: v.optional(
    v.strictObject({
      dropletId: v.string(),
      ipAddress: v.string(),
      region: v.optional(v.string()),
      lastHealthCheck: v.optional(v.number()),
      openclawVersion: v.optional(v.string()),
      runtimeServiceVersion: v.optional(v.string()),
      lastUpgradeAt: v.optional(v.number()),
      lastUpgradeStatus: v.optional(v.string()),
    }),
  ),
};

/** `updateRuntimeStatus`. Who hears of it, and the fleet, are in convex/ alone. */
export function reportStatus({ account }: Store, status: RuntimeStatus, config?: RuntimeConfig): void {
  account.runtimeStatus = status;
  if (config !== undefined) account.runtimeConfig = config;
}

import * as v from 'valibot';
import type { RuntimeStatus } from '../../../machines/shared/mission-control.ts';
import { failure } from '../../../convex/model/errors.ts';
import { notify } from './queue.ts';
import type { Fleet, RuntimeConfig, UpgradeRecord } from './rows.ts';
import type { Store } from './store.ts';

const STALE_AFTER_MS = 90_000;
const UPGRADE_TIMEOUT_MS = 30 * 60_000;
const HISTORY = 10;
const MAX_ERROR = 2_048;
const TYPING_BATCH = 500;

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

/** `updateRuntimeStatus` (docs/contract.md#functions). */
export function reportStatus(store: Store, status: RuntimeStatus, config?: RuntimeConfig): void {
  const { account } = store;
  const before = account.runtimeStatus;
  account.runtimeStatus = status;
  if (config !== undefined) account.runtimeConfig = config;
  const wasUp = before === 'online' || before === 'degraded';
  if (wasUp && status === 'offline') broadcast(store, 'Runtime is offline');
  else if (!wasUp && status === 'online') broadcast(store, 'Runtime is back online');
  if (status === 'offline') standDown(store);
  reportToFleet(store, status, config);
}

/** The work of the backend's cron: a runtime that has not reported for 90 s is offline. */
export function markStaleOffline(store: Store): void {
  const { runtimeStatus, runtimeConfig } = store.account;
  const isUp = runtimeStatus === 'online' || runtimeStatus === 'degraded';
  const last = runtimeConfig?.lastHealthCheck ?? Infinity;
  if (isUp && last < Date.now() - STALE_AFTER_MS) reportStatus(store, 'offline');
}

function broadcast(store: Store, title: string): void {
  for (const { userId } of store.members) {
    notify(store, { type: 'user', id: userId }, { type: 'status_change', title, body: '' });
  }
}

function standDown(store: Store): void {
  for (const agent of store.agents.values()) agent.status = 'offline';
  let left = TYPING_BATCH;
  for (const row of store.queue.values()) {
    if (left-- === 0) return;
    delete row.readAt;
  }
}

function reportToFleet(store: Store, status: RuntimeStatus, config?: RuntimeConfig): void {
  if (store.fleet === null && config === undefined) return;
  const fleet = (store.fleet ??= newFleet(status));
  endUpgrade(store, fleet, config);
  fleet.status = status;
  fleet.openclawVersion = config?.openclawVersion ?? fleet.openclawVersion;
  fleet.runtimeServiceVersion = config?.runtimeServiceVersion ?? fleet.runtimeServiceVersion;
}

const newFleet = (status: RuntimeStatus): Fleet => ({
  status,
  openclawVersion: 'unknown',
  runtimeServiceVersion: 'unknown',
  pendingUpgrade: null,
  upgradeHistory: [],
});

/** A pending upgrade ends with the report of its versions, or after half an hour. */
function endUpgrade(store: Store, fleet: Fleet, config: RuntimeConfig | undefined): void {
  const pending = fleet.pendingUpgrade;
  if (pending === null) return;
  const arrived =
    config?.openclawVersion === pending.targetOpenclawVersion &&
    config.runtimeServiceVersion === pending.targetRuntimeVersion;
  if (!arrived && store.now() - pending.initiatedAt <= UPGRADE_TIMEOUT_MS) return;
  remember(fleet, {
    fromOpenclawVersion: fleet.openclawVersion,
    toOpenclawVersion: pending.targetOpenclawVersion,
    fromRuntimeVersion: fleet.runtimeServiceVersion,
    toRuntimeVersion: pending.targetRuntimeVersion,
    status: arrived ? 'success' : 'failed',
    startedAt: pending.initiatedAt,
    completedAt: store.now(),
    ...(!arrived && { error: 'Upgrade timed out' }),
  });
}

export type UpgradeReport = Omit<UpgradeRecord, 'startedAt' | 'completedAt'>;

/** `recordUpgradeResult` (docs/contract.md#functions). @throws ConvexError NOT_FOUND before the first report */
export function recordUpgrade(store: Store, report: UpgradeReport): void {
  const fleet = requireFleet(store);
  const now = store.now();
  const startedAt = fleet.pendingUpgrade?.initiatedAt ?? now;
  const error = report.error?.split('\n', 1)[0]?.slice(0, MAX_ERROR);
  remember(fleet, { ...report, error, startedAt, completedAt: now });
  fleet.status = report.status === 'failed' ? 'error' : 'online';
  if (report.status !== 'success') return;
  fleet.openclawVersion = report.toOpenclawVersion;
  fleet.runtimeServiceVersion = report.toRuntimeVersion;
}

function remember(fleet: Fleet, record: UpgradeRecord): void {
  fleet.pendingUpgrade = null;
  fleet.upgradeHistory = [...fleet.upgradeHistory, record].slice(-HISTORY);
}

export interface UpgradeRequest {
  targetOpenclawVersion?: string | undefined;
  targetRuntimeVersion: string;
  strategy: 'immediate' | 'rolling' | 'canary';
}

/** What an administrator does. @throws ConvexError NOT_FOUND before the first report */
export function requestUpgrade(store: Store, request: UpgradeRequest): void {
  const fleet = requireFleet(store);
  fleet.pendingUpgrade = {
    targetOpenclawVersion: request.targetOpenclawVersion ?? fleet.openclawVersion,
    targetRuntimeVersion: request.targetRuntimeVersion,
    initiatedAt: store.now(),
    initiatedBy: 'demo-user',
    strategy: request.strategy,
  };
}

/** Whether a restart was asked for; the request ends with this answer. */
export function takeRestartRequest({ account }: Store): boolean {
  const requested = account.restartRequestedAt !== null;
  account.restartRequestedAt = null;
  return requested;
}

function requireFleet({ fleet }: Store): Fleet {
  if (fleet === null) throw failure('NOT_FOUND', 'No runtime registered for this account');
  return fleet;
}

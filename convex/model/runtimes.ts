/** The account's row in the fleet: versions, upgrades asked for, upgrades done (docs/contract.md#fleet). */
import type { Doc, Id } from '../_generated/dataModel.js';
import type { MutationCtx, QueryCtx } from '../_generated/server.js';
import type { RuntimeStatus, UpgradeStatus } from '../enums.ts';
import type { RuntimeConfig, UpgradeRecord } from '../shapes.ts';
import { failure } from './errors.ts';

const UPGRADE_TIMEOUT_MS = 30 * 60_000;
const HISTORY = 10;
const MAX_ERROR = 2048;

export async function findRuntime(ctx: QueryCtx, accountId: Id<'accounts'>): Promise<Doc<'runtimes'> | null> {
  return await ctx.db
    .query('runtimes')
    .withIndex('by_account', (q) => q.eq('accountId', accountId))
    .unique();
}

/** @throws NOT_FOUND before the runtime's first report */
export async function requireRuntime(ctx: QueryCtx, accountId: Id<'accounts'>): Promise<Doc<'runtimes'>> {
  const runtime = await findRuntime(ctx, accountId);
  if (!runtime) throw failure('NOT_FOUND', 'No runtime registered for this account');
  return runtime;
}

/** Updates the row from a report. Ends a pending upgrade that was reached or took too long. */
export async function reportToFleet(
  ctx: MutationCtx,
  accountId: Id<'accounts'>,
  status: RuntimeStatus,
  config: RuntimeConfig | undefined,
): Promise<void> {
  const runtime = await findRuntime(ctx, accountId);
  if (!runtime) {
    if (config) await insertRuntime(ctx, accountId, status, config);
    return;
  }
  const outcome = upgradeOutcome(runtime, config);
  await ctx.db.patch('runtimes', runtime._id, {
    status,
    ...(config && reported(config)),
    ...(outcome && { pendingUpgrade: undefined, upgradeHistory: withRecord(runtime, outcome) }),
    updatedAt: Date.now(),
  });
}

const reported = (config: RuntimeConfig) => ({
  providerId: config.dropletId,
  ipAddress: config.ipAddress,
  ...(config.region !== undefined && { region: config.region }),
  ...(config.openclawVersion !== undefined && { openclawVersion: config.openclawVersion }),
  ...(config.runtimeServiceVersion !== undefined && {
    runtimeServiceVersion: config.runtimeServiceVersion,
    dockerImageTag: config.runtimeServiceVersion,
  }),
  ...(config.lastHealthCheck !== undefined && { lastHealthCheck: config.lastHealthCheck }),
});

async function insertRuntime(
  ctx: MutationCtx,
  accountId: Id<'accounts'>,
  status: RuntimeStatus,
  config: RuntimeConfig,
): Promise<void> {
  const now = Date.now();
  await ctx.db.insert('runtimes', {
    accountId,
    // The contract knows only clouds as providers, and its own runtimes report digitalocean.
    provider: 'digitalocean',
    region: 'unknown',
    openclawVersion: 'unknown',
    runtimeServiceVersion: 'unknown',
    dockerImageTag: 'unknown',
    ...reported(config),
    status,
    createdAt: now,
    updatedAt: now,
  });
}

/** How this report ended the pending upgrade; null when it did not. */
function upgradeOutcome(runtime: Doc<'runtimes'>, config: RuntimeConfig | undefined): UpgradeRecord | null {
  const pending = runtime.pendingUpgrade;
  if (!pending) return null;
  const arrived =
    config?.openclawVersion === pending.targetOpenclawVersion &&
    config.runtimeServiceVersion === pending.targetRuntimeVersion;
  const now = Date.now();
  if (!arrived && now - pending.initiatedAt <= UPGRADE_TIMEOUT_MS) return null;
  return {
    fromOpenclawVersion: runtime.openclawVersion,
    toOpenclawVersion: pending.targetOpenclawVersion,
    fromRuntimeVersion: runtime.runtimeServiceVersion,
    toRuntimeVersion: pending.targetRuntimeVersion,
    status: arrived ? 'success' : 'failed',
    startedAt: pending.initiatedAt,
    completedAt: now,
    duration: now - pending.initiatedAt,
    ...(!arrived && { error: 'Upgrade timed out' }),
    initiatedBy: pending.initiatedBy,
  };
}

const withRecord = (runtime: Doc<'runtimes'>, record: UpgradeRecord): UpgradeRecord[] =>
  [...(runtime.upgradeHistory ?? []), record].slice(-HISTORY);

export interface UpgradeReport {
  status: UpgradeStatus;
  fromOpenclawVersion: string;
  toOpenclawVersion: string;
  fromRuntimeVersion: string;
  toRuntimeVersion: string;
  /** Milliseconds. */
  duration?: number;
  error?: string;
}

/** Adds the result that the runtime reports to the history, and ends the pending upgrade. */
export async function recordUpgrade(
  ctx: MutationCtx,
  runtime: Doc<'runtimes'>,
  report: UpgradeReport,
): Promise<void> {
  const now = Date.now();
  const error = report.error?.split('\n', 1)[0]?.slice(0, MAX_ERROR);
  const record: UpgradeRecord = {
    ...report,
    error,
    startedAt: runtime.pendingUpgrade?.initiatedAt ?? now - (report.duration ?? 0),
    completedAt: now,
    initiatedBy: runtime.pendingUpgrade?.initiatedBy ?? 'runtime',
  };
  await ctx.db.patch('runtimes', runtime._id, {
    status: report.status === 'failed' ? 'error' : 'online',
    pendingUpgrade: undefined,
    upgradeHistory: withRecord(runtime, record),
    ...(report.status === 'success' && {
      openclawVersion: report.toOpenclawVersion,
      runtimeServiceVersion: report.toRuntimeVersion,
      dockerImageTag: report.toRuntimeVersion,
    }),
    updatedAt: now,
  });
}

import type { PendingUpgrade } from '../shared/mission-control.ts';

export interface Versions {
  openclawVersion: string;
  runtimeVersion: string;
}

/** What is known when the machine decides. */
export interface UpgradeFacts {
  pending: PendingUpgrade | null;
  restartRequested: boolean;
  running: Versions;
  /** The request that an earlier process left for, and the versions that it ran. */
  leftFor: { request: Pick<PendingUpgrade, RequestKey>; from: Versions } | null;
}

type RequestKey = 'targetOpenclawVersion' | 'targetRuntimeVersion' | 'initiatedAt';

export type UpgradeVerdict = 'current' | 'available' | 'heldBack' | 'leave';

/**
 * What follows from a pending upgrade or a restart request (docs/contract.md#fleet).
 * The backend clears a restart request as it is read, so the runtime carries it out whatever UPGRADE_MODE says.
 */
export function judge(
  facts: UpgradeFacts,
  mode: 'exit' | 'notify',
): { verdict: UpgradeVerdict; notice: string | null } {
  const { pending, running } = facts;
  if (facts.restartRequested) return { verdict: 'leave', notice: 'a restart was asked for' };
  if (pending === null || isReached(pending, running)) return { verdict: 'current', notice: null };
  const target = `runtime ${pending.targetRuntimeVersion} with OpenClaw ${pending.targetOpenclawVersion}`;
  const asked = `upgrade to ${target} asked for at ${new Date(pending.initiatedAt).toISOString()}`;
  const still = `this image is still runtime ${running.runtimeVersion} with OpenClaw ${running.openclawVersion}`;
  if (mode === 'notify')
    return { verdict: 'available', notice: `${asked}; ${still}: run the upgrade script` };
  if (hasLeftFor(facts, pending))
    return { verdict: 'heldBack', notice: `${asked}, ${still}: run the upgrade script` };
  return { verdict: 'leave', notice: asked };
}

/** The version of a gateway that has not answered is unknown, and that is no reason to leave. */
const isSameOpenclaw = (a: string, b: string): boolean => a === b || a === 'unknown' || b === 'unknown';

/** Whether the versions that were asked for are running. */
export const isReached = (pending: PendingUpgrade, running: Versions): boolean =>
  pending.targetRuntimeVersion === running.runtimeVersion &&
  isSameOpenclaw(pending.targetOpenclawVersion, running.openclawVersion);

/** A new request or a changed version makes this false again. */
function hasLeftFor({ leftFor, running }: UpgradeFacts, pending: PendingUpgrade): boolean {
  return (
    leftFor !== null &&
    leftFor.request.initiatedAt === pending.initiatedAt &&
    leftFor.request.targetRuntimeVersion === pending.targetRuntimeVersion &&
    leftFor.request.targetOpenclawVersion === pending.targetOpenclawVersion &&
    leftFor.from.runtimeVersion === running.runtimeVersion &&
    isSameOpenclaw(leftFor.from.openclawVersion, running.openclawVersion)
  );
}

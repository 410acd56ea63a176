/** The closed sets of the service contract (docs/contract.md#enumerations), as validators and as types. */
import { v } from 'convex/values';
import type { Infer } from 'convex/values';

export const taskStatus = v.union(
  v.literal('inbox'),
  v.literal('assigned'),
  v.literal('in_progress'),
  v.literal('review'),
  v.literal('done'),
  v.literal('blocked'),
  v.literal('archived'),
);
export type TaskStatus = Infer<typeof taskStatus>;
export const TASK_STATUSES = taskStatus.members.map(({ value }) => value);

export const agentStatus = v.union(
  v.literal('online'),
  v.literal('busy'),
  v.literal('idle'),
  v.literal('offline'),
  v.literal('error'),
);

export const runtimeStatus = v.union(
  v.literal('provisioning'),
  v.literal('online'),
  v.literal('degraded'),
  v.literal('offline'),
  v.literal('error'),
);
export type RuntimeStatus = Infer<typeof runtimeStatus>;

/** The `runtimes` table has one more status. */
export const fleetStatus = v.union(...runtimeStatus.members, v.literal('upgrading'));

export const notificationType = v.union(
  v.literal('mention'),
  v.literal('assignment'),
  v.literal('thread_update'),
  v.literal('status_change'),
  v.literal('response_request'),
  v.literal('member_added'),
  v.literal('member_removed'),
  v.literal('role_changed'),
);
export type NotificationType = Infer<typeof notificationType>;

/** Who acts, writes, subscribes or is told. */
export const partyType = v.union(v.literal('user'), v.literal('agent'));
export type PartyType = Infer<typeof partyType>;

export const upgradeStrategy = v.union(v.literal('immediate'), v.literal('rolling'), v.literal('canary'));

export const upgradeStatus = v.union(v.literal('success'), v.literal('failed'), v.literal('rolled_back'));
export type UpgradeStatus = Infer<typeof upgradeStatus>;

export const documentType = v.union(
  v.literal('deliverable'),
  v.literal('note'),
  v.literal('template'),
  v.literal('reference'),
);

import type { BackoffLimits } from '../shared/backoff.ts';
import type { Gate } from '../shared/evidence.ts';
import type { Spent } from '../shared/spending.ts';
import type { Moment } from '../shared/moment.ts';
import type { AgentRow, RuntimeStatus } from '../shared/mission-control.ts';
import type { AgentSyncNews } from '../agent-sync/machine.ts';
import type { DeliveryNews, DeliverySettings } from '../delivery/context.ts';
import type { ExtensionsEvent, ExtensionsNews } from '../extensions/machine.ts';
import type { GatewayNews } from '../gateway/machine.ts';
import type { HeartbeatNews } from '../heartbeat/machine.ts';
import type { JournalNews } from '../journal/machine.ts';
import type { OtherRuntimeSign } from '../other-runtime/machine.ts';
import type { PulseEvent, PulseNews } from '../pulse/machine.ts';
import type { StatusReporterNews } from '../status-reporter/machine.ts';
import type { UpgradeNews } from '../upgrade/machine.ts';
import type { Ledger } from './policy.ts';

export interface SupervisorInput {
  gatewayConfigured: boolean;
  delivery: DeliverySettings;
  reconnect: BackoffLimits;
  statusIntervalMs: number;
  syncIntervalMs: number;
  /** null: the agents' profiles are not published. */
  profileIntervalMs: number | null;
  /** Subscribe to the queue where the backend offers it. */
  wakeUp: boolean;
  upgradeMode: 'exit' | 'notify';
  drainTimeoutMs: number;
  upgradeDrainTimeoutMs: number;
  /** A number in [0, 1). */
  random: () => number;
  /** What the agents have used today. */
  spent: () => readonly Spent[];
  /** Wall clock in milliseconds. It is only shown; no decision depends on it. */
  now: () => number;
  /** The present moment, for the journal. */
  moment: () => Moment;
}

export type SupervisorEvent =
  | { type: 'health.listening'; port: number }
  | { type: 'health.failed'; reason: string }
  | { type: 'health.closed' }
  | { type: 'signal.terminate'; signal: string }
  | { type: 'signal.upgrade' }
  | { type: 'process.crashed'; reason: string }
  | { type: 'child.restart'; id: string }
  | { type: 'child.forgiven'; id: string }
  /** Commands that anyone on the machine may give without harm. */
  | { type: 'delivery.poll' }
  | { type: 'gateway.probe' }
  | { type: 'upgrade.check' }
  | GatewayNews
  | DeliveryNews
  | HeartbeatNews
  | AgentSyncNews
  | StatusReporterNews
  | UpgradeNews
  | ExtensionsNews
  | JournalNews
  | OtherRuntimeSign
  | PulseNews
  | PulseEvent
  | Extract<ExtensionsEvent, { type: 'extension.failed' }>;

interface Condition {
  problem: string;
  severity: 'degraded' | 'failed';
  /** The child that told it. */
  of: string;
  /** Wall clock in milliseconds. */
  since: number;
}

export interface SupervisorContext extends SupervisorInput {
  /** Children that are running. Events are sent only to these. */
  alive: readonly string[];
  ledger: Ledger;
  /** Restarts of each child since the start of the process. */
  restarts: Readonly<Record<string, number>>;
  gate: Gate;
  /** What the backend offers beyond the contract; null until it was asked. */
  offered: readonly string[] | null;
  /** Whether the backend announces changes of the queue. */
  watched: boolean;
  conditions: Readonly<Record<string, Condition>>;
  agents: readonly AgentRow[];
  drainMs: number;
  exitCode: number;
  exitReason: string;
}

export interface SupervisorOutput {
  exitCode: number;
  reason: string;
}

/** A second signal within this time is an echo of the first one, in milliseconds. A person's second Ctrl-C takes longer. */
export const SAME_SIGNAL_MS = 250;

/** Exit codes (docs/reference/exit-codes.md). */
export const EXIT = { stopped: 0, bug: 70, cannotBind: 71, upgrade: 75, configuration: 78 } as const;

/**
 * The status for Mission Control: degraded while the gateway, delivery or the journal is not in a good state. Trouble
 * with the status report itself does not count, because a report that arrives proves that this trouble is over.
 */
export function accountStatus({ conditions }: Pick<SupervisorContext, 'conditions'>): RuntimeStatus {
  return ['gateway', 'delivery', 'journal'].some((source) => source in conditions) ? 'degraded' : 'online';
}

export const heartbeatId = (agent: AgentRow): string => `heartbeat:${agent.slug}`;

/** The values that the labels of metrics take. docs/reference/metrics.md lists them. */
import type { ToolOutcome } from '../../machines/shared/acting.ts';
import type { Gate } from '../../machines/shared/evidence.ts';
import { isAttempt, type FaultKind } from '../../machines/shared/fault.ts';
import type { RunOutcome } from '../actors/count-run.ts';
import { NOTE_REASONS, type NoteReason } from '../../machines/notification/notes.ts';
import { extensions, service } from '../mission-control/functions.ts';
import { catalog } from '../tools/catalog/catalog.ts';

/** A record with every member of a union as a key: a new member that is left out is a type error. */
const keysOf = <T extends string>(all: Record<T, true>): readonly T[] => Object.keys(all) as T[];

const deliveryOutcome = keysOf({
  delivered: true,
  silent: true,
  skipped: true,
  chatter: true,
  already: true,
  parked: true,
  unanswered: true,
  handedBack: true,
  gone: true,
  stuck: true,
  failed: true,
});

/** How a notification ended; `failed` is a run that failed, after which the notification goes on. */
export type DeliveryOutcome = (typeof deliveryOutcome)[number];

const faultKinds = keysOf<FaultKind>({
  gatewayUnavailable: true,
  gatewayRefused: true,
  gatewayMisconfigured: true,
  agentUnknown: true,
  requestRejected: true,
  runFailed: true,
  runTimedOut: true,
  runCut: true,
  runLimited: true,
  backendUnavailable: true,
  backendRefused: true,
  backendRejected: true,
  textTooLong: true,
  journalUnavailable: true,
  aborted: true,
  bug: true,
});

export type ParkReason = NoteReason;

const child = keysOf({
  health: true,
  gateway: true,
  statusReporter: true,
  upgrade: true,
  agentSync: true,
  delivery: true,
  extensions: true,
  heartbeat: true,
  journal: true,
  otherRuntime: true,
  pulse: true,
});

/** A supervised machine; those of all heartbeats count as one. */
export type Child = (typeof child)[number];

export const childOf = (id: string): Child => child.find((one) => one === id) ?? 'heartbeat';

/** Kinds of faults that a call to Mission Control can end with. */
const isOfBackend = (kind: FaultKind): boolean =>
  kind.startsWith('backend') || ['textTooLong', 'aborted', 'bug'].includes(kind);

export const LABELS = {
  deliveryOutcome,
  parkReason: NOTE_REASONS,
  runOutcome: ['replied', 'silent', 'noReply', ...faultKinds.filter(isAttempt)] satisfies RunOutcome[],
  child,
  tool: catalog.map(({ name }) => name),
  toolOutcome: keysOf<ToolOutcome>({
    ok: true,
    found: true,
    invalid_arguments: true,
    not_allowed: true,
    not_found: true,
    conflict: true,
    unavailable: true,
    outcome_unknown: true,
    limit: true,
  }),
  direction: ['input', 'output'],
  function: [...Object.keys(service), ...Object.keys(extensions).filter((name) => name !== 'wakeUp')],
  callOutcome: ['ok', ...faultKinds.filter(isOfBackend)],
  gate: keysOf<Gate>({ closed: true, trial: true, open: true }),
} as const;

/**
 * What can go wrong at the border, by class and not by text. The I/O actors in src/ throw faults; the machines
 * decide by `kind` alone. The table of what follows from each kind is in docs/architecture.md.
 */
export type FaultKind =
  /** Nothing was sent (no connection), or the gateway or a proxy says that it takes no request now: no run began. Not an attempt. */
  | 'gatewayUnavailable'
  /** The gateway refuses our token (gateway-level 401 or 403). Not an attempt. */
  | 'gatewayRefused'
  /** The endpoint is missing, or what answers is no OpenClaw gateway: a setting is wrong. Not an attempt. */
  | 'gatewayMisconfigured'
  /** The gateway does not know this agent (yet). Not an attempt. */
  | 'agentUnknown'
  /** The gateway refuses this very request for good (gateway-level 400 or 413, or a body we will not send). */
  | 'requestRejected'
  /** The run began and failed, or its answer holds no reply. An attempt. */
  | 'runFailed'
  /**
   * The request was sent whole and no end of the run came: the connection closed, or something before the gateway
   * answered in its place (502, 504, 520, 524, or a page). A run may have begun and may still go on. The next probe
   * tells whose trouble it is: an attempt when the gateway answers it, nobody's when the gateway is away.
   */
  | 'runCut'
  /** The run did not end within OPENCLAW_REQUEST_TIMEOUT_MS. An attempt. */
  | 'runTimedOut'
  /** The run was refused for now and a wait was asked for: the model provider's limit. Not an attempt; only that session waits. */
  | 'runLimited'
  /** Convex is away: network, time-out, 408, 429, 5xx. */
  | 'backendUnavailable'
  /** Convex refuses the service token. */
  | 'backendRefused'
  /** A Convex function failed, or gave something that is not what the contract says: this row's own trouble. */
  | 'backendRejected'
  /** The message is over the backend's 100,000 characters. */
  | 'textTooLong'
  /** The journal in STATE_DIR cannot be read or written: no run may start uncounted. */
  | 'journalUnavailable'
  /** The runtime itself gave up (drain deadline, shutdown). */
  | 'aborted'
  /** Any other error: a bug of the runtime. */
  | 'bug';

/** The longest wait that another side may ask for, in milliseconds. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

export interface FaultOptions {
  /** The wait that the other side asked for (Retry-After), in milliseconds, at most MAX_RETRY_AFTER_MS; 0 for none. */
  retryAfterMs?: number;
  cause?: unknown;
}

export class Fault extends Error {
  override readonly name: string = 'Fault';
  readonly kind: FaultKind;
  readonly retryAfterMs: number;

  /** @param message one sentence for an operator, free of secrets */
  constructor(kind: FaultKind, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

/** Anything that was thrown, as a fault. What is not a Fault is a bug of the runtime. */
export function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault('bug', error instanceof Error ? error.message : String(error), { cause: error });
}

/** What a call that failed gives to guards and actions. */
export interface Failure {
  fault: Fault;
}

export const faultParams = ({ event }: { event: { error: unknown } }): Failure => ({
  fault: faultOf(event.error),
});

const GATEWAY_TROUBLE: ReadonlySet<FaultKind> = new Set([
  'gatewayUnavailable',
  'gatewayRefused',
  'gatewayMisconfigured',
]);

/** The gateway's own trouble: no run began, so it is not an attempt. The row rests until the gateway is back. */
export const isGatewayTrouble = (kind: FaultKind): boolean => GATEWAY_TROUBLE.has(kind);

const ATTEMPTS: ReadonlySet<FaultKind> = new Set(['runFailed', 'runCut', 'runTimedOut', 'bug']);

/** Whether a run began (or may have begun), so that it counts as an attempt. */
export const isAttempt = (kind: FaultKind): boolean => ATTEMPTS.has(kind);

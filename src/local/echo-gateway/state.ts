import * as v from 'valibot';
import type { Script } from './calls.ts';
import { createLedger } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { createSessionQueue } from './queue.ts';
import type { SessionQueue } from './queue.ts';

export interface EchoOptions {
  agents: readonly string[];
  token: string;
  /** Offers `POST /__faults` and `GET /__runs`. */
  faults: boolean;
}

/** What goes wrong with every run until told otherwise: the body of `POST /__faults`. */
export const FaultSetting = v.strictObject({
  /**
   * 500: every run fails. 503: no run is taken, though ready. 401: our token is refused. hang: requests get no
   * answer. reset: their connection breaks before an answer. unready: `/readyz` and runs say 503.
   */
  mode: v.picklist(['ok', '500', '503', '401', 'hang', 'reset', 'unready']),
  /** Waits this long before every run's answer, in milliseconds. */
  delayMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(3_600_000)), 0),
});

export type FaultMode = v.InferOutput<typeof FaultSetting>['mode'];

export interface EchoState {
  readonly options: EchoOptions;
  readonly ledger: Ledger;
  readonly inLine: SessionQueue;
  /** What a session still calls; it is lost with the process. */
  readonly scripts: Map<string, Script>;
  readonly startedAt: number;
  fault: v.InferOutput<typeof FaultSetting>;
  draining: boolean;
}

export const createState = (options: EchoOptions): EchoState => ({
  options,
  ledger: createLedger(),
  inLine: createSessionQueue(),
  scripts: new Map(),
  startedAt: Date.now(),
  fault: { mode: 'ok', delayMs: 0 },
  draining: false,
});

/** Why the gateway is not ready, in OpenClaw's words; empty when it is. */
export const failing = ({ draining, fault }: EchoState): string[] => [
  ...(draining ? ['gateway-draining'] : []),
  ...(fault.mode === 'unready' ? ['startup-sidecars'] : []),
];

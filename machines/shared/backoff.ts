export interface BackoffLimits {
  /** Delay after the first failure, in milliseconds. */
  baseMs: number;
  /** No delay is longer than this, in milliseconds. */
  capMs: number;
}

/**
 * How long to wait after `failures` failures in a row: exponential with equal jitter (docs/architecture.md#when-something-fails).
 * `v = min(cap, base * 2^(failures-1))`, the delay is drawn from [v/2, v]: never 0, never past the cap, an integer.
 *
 * @param failures failures in a row, 1 or more
 * @param random a number in [0, 1)
 * @param floorMs the other side's own wish (Retry-After); it wins where it is longer, up to one hour
 * @returns milliseconds
 */
export function backoff(failures: number, limits: BackoffLimits, random: number, floorMs = 0): number {
  const v = Math.min(limits.capMs, limits.baseMs * 2 ** Math.min(failures - 1, 52));
  const drawn = Math.floor(v / 2 + (random * v) / 2);
  return Math.max(1, drawn, Math.min(Math.ceil(floorMs), MAX_FLOOR_MS));
}

/**
 * A wrong token or address stays wrong for a while, so it is tried again slowly: the gateway locks out who is refused
 * 10 times a minute. The cap keeps the wait after a mended setting below half a minute.
 */
export const REFUSED_BACKOFF: BackoffLimits = { baseMs: 15_000, capMs: 25_000 };

const MAX_FLOOR_MS = 3_600_000;

/** One signal for a deadline and for the callers' own signals. */
export interface Limit {
  /** Aborts at the deadline, or with the first of the callers' signals. */
  signal: AbortSignal;
  /** Whether the deadline was the reason. */
  expired(): boolean;
  /** Must be called when the work has ended. */
  clear(): void;
}

/**
 * `AbortSignal.any` would do, but keeps every composite on the long-lived signals that it was made of.
 * @param ms time until the deadline, at most 2147483647
 */
export function startLimit(ms: number, callers: readonly (AbortSignal | undefined)[]): Limit {
  const controller = new AbortController();
  let expired = false;
  const giveUp = (): void => controller.abort();
  const timer = setTimeout(() => {
    expired = !controller.signal.aborted;
    giveUp();
  }, ms);
  for (const caller of callers) {
    if (caller?.aborted) giveUp();
    caller?.addEventListener('abort', giveUp);
  }
  return {
    signal: controller.signal,
    expired: () => expired,
    clear() {
      clearTimeout(timer);
      for (const caller of callers) caller?.removeEventListener('abort', giveUp);
    },
  };
}

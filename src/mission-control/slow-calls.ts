/** A call that has not been answered for so long is a sign of trouble, long before its limit is over. */
const SLOW_MS = 10_000;

export interface SlowCalls {
  /** Watches one call. @returns what must be called when it has ended */
  watch(name: string): () => void;
}

/**
 * Tells of calls that hang. A backend that takes connections and answers nothing is noticed after 10 s, although a call
 * may take 30 s.
 *
 * @param tell given one sentence when the first call hangs, and null when none hangs any more
 */
export function watchSlowCalls(tell: (problem: string | null) => void, slowMs = SLOW_MS): SlowCalls {
  let hanging = 0;
  return {
    watch(name) {
      let isHanging = false;
      const timer = setTimeout(() => {
        isHanging = true;
        hanging += 1;
        if (hanging === 1) {
          tell(
            `Convex has not answered ${name} for ${slowMs / 1_000} s: check CONVEX_URL and the deployment.`,
          );
        }
      }, slowMs);
      return () => {
        clearTimeout(timer);
        if (!isHanging) return;
        hanging -= 1;
        if (hanging === 0) tell(null);
      };
    },
  };
}

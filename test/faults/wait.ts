import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 50;

/**
 * Looks again and again until it is so; for what may take longer than `until` of the other suites allows.
 * @returns how long it took, in milliseconds
 */
export async function within(
  seconds: number,
  what: string,
  look: () => boolean | Promise<boolean>,
): Promise<number> {
  const began = performance.now();
  while (!(await look())) {
    if (performance.now() - began > seconds * 1_000) {
      throw new Error(`${what}: this did not come true within ${seconds} s.`);
    }
    await delay(LOOK_EVERY_MS);
  }
  return performance.now() - began;
}

/** As `1.2 s`. */
export const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 25;
/** Far more than anything here takes; shorter than a test's own limit, so that the message below is what fails. */
const LIMIT_MS = 25_000;

type Found<T> = Exclude<T, false | null | undefined>;

/**
 * Looks again and again until there is something.
 * @param what completes "... did not come true"
 * @param limitMs milliseconds
 * @throws Error when the limit is reached, and whatever `look` throws, at once
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  limitMs = LIMIT_MS,
): Promise<Found<T>> {
  const giveUpAt = performance.now() + limitMs;
  while (performance.now() < giveUpAt) {
    const found = await look();
    if (isFound(found)) return found;
    await delay(LOOK_EVERY_MS);
  }
  throw new Error(`${what}: this did not come true within ${limitMs / 1_000} s.`);
}

const isFound = <T>(value: T): value is Found<T> => value !== false && value !== null && value !== undefined;

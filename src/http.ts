import { MAX_RETRY_AFTER_MS } from '../machines/shared/fault.ts';
import { shownProxy } from './config/proxy.ts';
import type { Route } from './connect.ts';

/** Parsed JSON; undefined when the text is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A header's first value, '' when it is absent. */
export function headerOf(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  name: string,
): string {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** A longer wait is taken for a mistake. */
const ABSURD_WAIT_MS = 7 * 24 * 3_600_000;

/**
 * The wait that a `Retry-After` header asks for (RFC 9110, 10.2.3: seconds or a date).
 * @param now milliseconds since the epoch
 * @returns milliseconds, at most an hour; 0 when the header says nothing, or something absurd
 */
export function retryAfterMs(header: string, now: number): number {
  const text = header.trim();
  // A date begins with the name of its day; Date.parse would read "-5" as one.
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : /^[a-z]/i.test(text) ? Date.parse(text) - now : 0;
  return ms > 0 && ms <= ABSURD_WAIT_MS ? Math.min(ms, MAX_RETRY_AFTER_MS) : 0;
}

/** A place for a message: its address, and the proxy on the way there. Either may be what does not answer. */
export const wayTo = ({ origin, proxy }: Route): string =>
  proxy === null ? origin : `${origin} by way of the proxy ${shownProxy(proxy)}`;

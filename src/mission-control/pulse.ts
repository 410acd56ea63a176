import type { Look } from '../../machines/pulse/machine.ts';
import { openClient, type Route } from '../connect.ts';
import { startLimit } from '../limit.ts';

/** How long an answer may take. machines/pulse says how often Convex is asked. */
const LIMIT_MS = 2_000;

export interface LookOptions {
  /** The deployment. */
  url: string;
  /** The proxy on the way to it; null for none. */
  proxy: string | null;
  limitMs?: number;
}

/**
 * Looks whether Convex answers HTTP at all. `GET /version` runs no function; every answer below 500 is a sign of life,
 * also that of a deployment without this path.
 * @returns one look; it settles within the limit
 */
export function createLook({
  url,
  proxy,
  limitMs = LIMIT_MS,
}: LookOptions): (signal: AbortSignal) => Promise<Look> {
  const route: Route = { origin: new URL(url).origin, proxy };
  return async (signal) => {
    const client = openClient(route, {});
    const limit = startLimit(limitMs, [signal]);
    try {
      const { statusCode, body } = await client.request({
        origin: route.origin,
        path: '/version',
        method: 'GET',
        signal: limit.signal,
      });
      await body.dump();
      return { found: statusCode < 500 ? 'answered' : 'failed' };
    } catch {
      return limit.expired()
        ? { found: 'silent', problem: silence(route.origin, limitMs) }
        : { found: 'failed' };
    } finally {
      limit.clear();
      void client.destroy();
    }
  };
}

const silence = (origin: string, limitMs: number): string =>
  `Convex at ${origin} takes connections and does not answer (twice no answer within ${limitMs / 1_000} s): check CONVEX_URL and the deployment.`;

import { shownProxy } from '../config/proxy.ts';
import { Fault } from '../../machines/shared/fault.ts';
import { oneLine } from './text.ts';

/** Where the gateway is and how we show who we are. */
export interface Target {
  /** Ends with a slash, so that a gateway behind a path prefix works. */
  base: URL;
  token: string;
  /** The proxy on the way to it, with its credentials; null where there is none. */
  proxy: string | null;
}

const HEADER_SAFE = /^[\x21-\x7e]*$/;
const MAX_ERROR_TEXT = 300;

export function createTarget(url: string, token: string, proxy: string | null = null): Target {
  const base = new URL(url);
  base.search = '';
  base.hash = '';
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return { base, token, proxy };
}

/** The gateway's address for a message: without the user and the password that a URL may hold. */
export const placeOf = (target: Target): string => target.base.origin;

/** The same, and the proxy on the way there: either may be what does not answer. */
export const wayTo = (target: Target): string =>
  target.proxy === null
    ? placeOf(target)
    : `${placeOf(target)} by way of the proxy ${shownProxy(target.proxy)}`;

/** The path of an endpoint, under the prefix of OPENCLAW_GATEWAY_URL. */
export const pathOf = (target: Target, endpoint: string): string => target.base.pathname + endpoint;

/**
 * The `authorization` header; none for an empty token.
 * @throws Fault gatewayMisconfigured when the token cannot be sent
 */
export function authorization(target: Target): Record<string, string> {
  if (target.token === '') return {};
  if (!HEADER_SAFE.test(target.token)) {
    throw new Fault(
      'gatewayMisconfigured',
      'OPENCLAW_GATEWAY_TOKEN holds a space or a character that no HTTP header can carry: set it anew.',
    );
  }
  return { authorization: `Bearer ${target.token}` };
}

/** The other side's own words for a message of ours: one line, at most 300 characters, never with the token. */
export function theirWords(text: string, target: Target): string {
  const safe = target.token === '' ? text : text.replaceAll(target.token, '***');
  return oneLine(safe, MAX_ERROR_TEXT);
}

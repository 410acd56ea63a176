import { Fault } from '../../machines/shared/fault.ts';
import type { Route } from '../connect.ts';
import { oneLine } from './text.ts';

/** Where the gateway is and how we show who we are. Its `origin` stands in messages: no user and no password is in it. */
export interface Target extends Route {
  /** The path before every endpoint, with a slash at its end. */
  prefix: string;
  token: string;
}

const HEADER_SAFE = /^[\x21-\x7e]*$/;
const MAX_ERROR_TEXT = 300;

export function createTarget(url: string, token: string, proxy: string | null = null): Target {
  const { origin, pathname } = new URL(url);
  return { origin, prefix: pathname.replace(/\/?$/, '/'), token, proxy };
}

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

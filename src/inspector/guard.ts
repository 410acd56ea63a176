/** Who may speak to the inspector: a page of its own on this machine, and programs on this machine. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

export type Verdict = { ok: true } | { ok: false; reason: string };

const OK: Verdict = { ok: true };
const refuse = (reason: string): Verdict => ({ ok: false, reason });

/**
 * Keeps DNS rebinding out: somebody else's page could make its own host name resolve to this machine. So the Host
 * header may only hold an address, localhost, or the name that the inspector listens on.
 *
 * @param bound INSPECTOR_HOST
 */
export function checkHost({ headers }: IncomingMessage, bound: string): Verdict {
  const name = nameOf(headers.host ?? '');
  if (isIP(name) !== 0 || name === 'localhost' || name === bound.toLowerCase()) return OK;
  return refuse('The inspector answers to localhost and to addresses only, not to this name in Host.');
}

/** The host without its port, lower case; an IPv6 address without its brackets. */
function nameOf(host: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(host.toLowerCase()) ?? [];
  return bracketed ?? plain ?? '';
}

/** Refuses every request of another page. Only a link to our page may come from elsewhere. */
export function checkOrigin({ headers, method }: IncomingMessage, isPage: boolean): Verdict {
  const { origin, host = '' } = headers;
  if (origin !== undefined && origin !== `http://${host}`) {
    return refuse('The inspector answers to its own page only, not to this Origin.');
  }
  if (origin === undefined && method === 'POST') return refuse('A command needs the Origin of the page.');
  const site = headers['sec-fetch-site'];
  const isOwn = site === undefined || site === 'same-origin' || site === 'none';
  const isVisit =
    isPage && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return isOwn || isVisit ? OK : refuse('The inspector answers to its own page only.');
}

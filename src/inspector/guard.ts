/** Who may speak to the inspector: a page of its own on this machine, and programs on this machine. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

export type Verdict = { ok: true } | { ok: false; reason: string };

const OK: Verdict = { ok: true };
const refuse = (reason: string): Verdict => ({ ok: false, reason });

/**
 * A name in the Host header is how DNS rebinding comes in: a page of somebody else's name that resolves to this
 * machine. So only addresses, localhost and the name that it was told to listen on are answered.
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

/** What another page asks for, in whatever way, is refused; a person may follow a link to the page. */
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

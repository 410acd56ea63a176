import { isIPv4 } from 'node:net';
import { Invalid } from './errors.ts';
import { rule, type Rule } from './rule.ts';

const ADDRESS = 'an http or https address without credentials, query and fragment';

/** @returns the address without a slash at its end, ready for a path */
export function parseHttpUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !['http:', 'https:'].includes(url.protocol)) throw new Invalid('not an http or https address');
  if (url.username || url.password) throw new Invalid('an address with credentials in it');
  if (/[?#]/.test(text)) throw new Invalid('an address with a query or a fragment');
  return url.href.replace(/\/+$/, '');
}

export const convexUrl: Rule<string> = rule(
  `${ADDRESS}, such as https://happy-otter-123.convex.cloud`,
  (text) => {
    const address = parseHttpUrl(text);
    if (new URL(address).hostname.endsWith('.convex.site')) {
      throw new Invalid(
        'the address of the HTTP actions, which has no functions behind it',
        'set the one of the same name that ends in .convex.cloud',
      );
    }
    return address;
  },
);

/** Empty means: there is no gateway. */
export const gatewayUrl: Rule<string> = {
  text: `${ADDRESS}; or set it to nothing at all to run without a gateway`,
  parse: (text) => (text === '' ? '' : parseHttpUrl(text)),
  show: (address) => (address === '' ? 'none' : address),
};

/** Whether the address is on this machine or a neighbour in its compose network, where the token may be the default one. */
export function isLocal(address: string): boolean {
  const name = new URL(address).hostname;
  if (isIPv4(name)) return name.startsWith('127.');
  if (name.startsWith('[')) return name === '[::1]';
  return !name.includes('.') || name.endsWith('.localhost') || name === 'host.docker.internal';
}

import { BlockList, isIP } from 'node:net';
import { Invalid } from './errors.ts';

/** The proxies that the environment names for the two sides and the receiver of traces; null where the way is direct. With their credentials. */
export interface Proxies {
  convex: string | null;
  gateway: string | null;
  traces: string | null;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/**
 * The proxy for an address, by HTTP_PROXY, HTTPS_PROXY and NO_PROXY as curl reads them: in lower or upper case, the
 * lower one first. What is on this machine is never reached through a proxy.
 * @throws Invalid when the variable names no proxy
 */
export function proxyFor(address: string, env: NodeJS.ProcessEnv): string | null {
  const url = new URL(address);
  const name = proxyVariable(address);
  const text = read(env, name);
  const host = url.hostname.replace(/^\[(.+)\]$/, '$1').replace(/\.$/, '');
  const port = url.port || (DEFAULT_PORTS[url.protocol] ?? '');
  if (text === '' || isLoopback(host) || isExempt(host, port, read(env, 'NO_PROXY'))) return null;
  const proxy = URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (proxy === null || !(proxy.protocol in DEFAULT_PORTS)) {
    throw new Invalid(
      'not the address of an HTTP proxy',
      `set ${name} to http://host:port, or name ${url.hostname} in NO_PROXY`,
    );
  }
  return proxy.href;
}

/** The variable that names the proxy for an address. */
export const proxyVariable = (address: string): 'HTTPS_PROXY' | 'HTTP_PROXY' =>
  new URL(address).protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';

/** The address of a proxy for people: without its credentials. */
export function shownProxy(proxy: string | null): string {
  if (proxy === null) return 'none';
  const { protocol, host, username } = new URL(proxy);
  return `${protocol}//${username === '' ? '' : '***@'}${host}`;
}

/** What must never be shown of a proxy's address. */
export function proxySecrets(proxies: Proxies): string[] {
  return [proxies.convex, proxies.gateway, proxies.traces].flatMap((proxy) => {
    if (proxy === null) return [];
    const { username, password } = new URL(proxy);
    const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
    return [secret, `${user}:${secret}`].filter((text) => text.length > 1);
  });
}

const read = (env: NodeJS.ProcessEnv, name: string): string =>
  (env[name.toLowerCase()] || env[name] || '').trim();

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\.[\d.]+$/.test(host);

/** NO_PROXY: names with all below them, addresses, ranges of addresses, each with or without a port; or `*`. */
function isExempt(host: string, port: string, list: string): boolean {
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      const { name = entry, only } = /^(?<name>\[.+\]|[^:]+):(?<only>\d+)$/.exec(entry)?.groups ?? {};
      if (only !== undefined && only !== port) return false;
      const bare = name.replace(/^\[(.+)\]$/, '$1').replace(/^\*?\./, '');
      return bare === '*' || host === bare || host.endsWith(`.${bare}`) || isInRange(host, bare);
    });
}

function isInRange(host: string, range: string): boolean {
  const [network = '', bits = ''] = range.split('/');
  const family = isIP(host) === 6 ? 'ipv6' : 'ipv4';
  const most = family === 'ipv6' ? 128 : 32;
  if (isIP(host) === 0 || isIP(host) !== isIP(network) || !/^\d+$/.test(bits) || Number(bits) > most)
    return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family);
  return list.check(host, family);
}

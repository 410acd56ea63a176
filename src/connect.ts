import { Agent, Client, Pool, ProxyAgent, type Dispatcher } from 'undici';

/** Where a connection goes, and through which proxy. */
export interface Route {
  /** Scheme, host and port. */
  origin: string;
  /** The proxy's address with its credentials; null where the way is direct. */
  proxy: string | null;
}

/** The options of our connections. Undici's own time-outs are off: the signal of each call is its only limit. */
type Limits = Pool.Options & { connectTimeoutMs?: number };

const withoutTimeouts = ({ connectTimeoutMs, ...limits }: Limits): Pool.Options => ({
  allowH2: false,
  bodyTimeout: 0,
  headersTimeout: 0,
  ...(connectTimeoutMs !== undefined && { connect: { timeout: connectTimeoutMs } }),
  ...limits,
});

/**
 * Makes a client with one connection. The caller destroys it; `destroy()` settles when it is closed.
 * @param onConnect called when the connection stands, also through a proxy; the request goes out right after
 */
export function openClient(
  route: Route,
  limits: Limits,
  onConnect: () => void = () => undefined,
): Dispatcher {
  const options = withoutTimeouts({ ...limits, pipelining: 0 });
  const open = (origin: string | URL, special: object): Dispatcher =>
    new Client(origin, { ...options, ...special }).once('connect', onConnect);
  if (route.proxy === null) return open(route.origin, {});
  return throughProxy(route.proxy, options, limits, open);
}

/** A pool of connections to one place. */
export function openPool(route: Route, limits: Limits): Dispatcher {
  const options = withoutTimeouts(limits);
  if (route.proxy === null) return new Agent(options);
  return throughProxy(
    route.proxy,
    options,
    limits,
    (origin, special) => new Pool(origin, { ...options, ...special }),
  );
}

/** Like curl: a tunnel for https, and the whole address in the request for http. */
function throughProxy(
  proxy: string,
  options: Pool.Options,
  { connectTimeoutMs }: Limits,
  open: (origin: string | URL, special: object) => Dispatcher,
): Dispatcher {
  return new ProxyAgent({
    ...options,
    uri: proxy,
    factory: open,
    clientFactory: (origin, special) => new Pool(origin, { ...options, ...special }),
    ...(connectTimeoutMs !== undefined && { connectTimeout: connectTimeoutMs }),
  });
}

/** What a proxy says when it refuses a request, in a few words; null for any other error. */
export function proxyRefusal(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const status = /^Proxy (?:response|Authentication Required) \((\d{3})\)/.exec(error.message)?.[1];
  return status === undefined ? null : `the proxy says HTTP ${status}`;
}

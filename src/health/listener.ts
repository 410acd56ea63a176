/** The raw server. Whoever reaches the port may be slow, mute or hostile; every cost has a bound. */
import { createServer, STATUS_CODES } from 'node:http';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';

/** Far more than probes and scrapers need, and about a megabyte when all are taken. */
export const MAX_CONNECTIONS = 128;

const LIMITS = {
  /** Bytes of request line and headers; past it the answer is 431. */
  maxHeaderSize: 8_192,
  /** Milliseconds for the headers, and for the whole request; past it the answer is 408. */
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  /** Node looks for slow requests this often; its default of 30 s would make the two limits above idle. */
  connectionsCheckingInterval: 1_000,
  /** Shorter than the usual probe interval of 5 s, so that no probe meets a connection that is being closed. */
  keepAliveTimeout: 2_000,
};

const MAX_HEADERS = 64;
/** Milliseconds without a byte in either direction (Node may grant it twice): ends readers that never take an answer. */
const IDLE_TIMEOUT_MS = 10_000;

export function createBoundedServer(listener: RequestListener, limits: ServerOptions = LIMITS): Server {
  const server = createServer(limits, listener);
  server.maxHeadersCount = MAX_HEADERS;
  server.setTimeout(IDLE_TIMEOUT_MS);
  // Without this Node says "100 Continue" and invites a body that no route reads.
  server.on('checkContinue', listener);
  evictOldest(server, MAX_CONNECTIONS);
  return server;
}

/**
 * Lets the newest connection in at the cost of the oldest. `server.maxConnections` would turn the newest away,
 * and a crowd of slow clients would lock the health probe out. Every answer is immediate, so the oldest
 * connection is idle or slow.
 */
function evictOldest(server: Server, limit: number): void {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (open.size <= limit) return;
    const [oldest] = open;
    if (oldest === undefined) return;
    open.delete(oldest);
    oldest.destroy();
  });
}

/** Answers a client whose request is not HTTP, too big or too slow, and closes the connection. */
export function refuseClient(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = statusFor(error.code);
  const body = JSON.stringify({ error: { message: STATUS_CODES[status] } });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}

function statusFor(code: string | undefined): number {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  return 400;
}

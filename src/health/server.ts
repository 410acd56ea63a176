import { once } from 'node:events';
import type { Server } from 'node:http';
import { createApp } from './app.ts';
import { BindError } from './bind-error.ts';
import type { AppOptions } from './app.ts';

export interface HttpServerOptions extends AppOptions {
  host: string;
  /** 0 takes any free port. */
  port: number;
}

export interface HttpServer {
  /** The port that it listens on. */
  port: number;
  /** Stops listening, ends idle connections at once and all others within a second. Safe to call again. */
  close(): Promise<void>;
}

/** Milliseconds that connections with a request under way get when the server closes. */
const CLOSE_GRACE_MS = 1_000;

/** Rejects with a BindError when it cannot listen on `host` and `port`. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, log } = options;
  const server = createApp(options);
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (error) {
    throw new BindError(host, port, error);
  }
  // Node reports a failing accept here; unheard, it would end the process.
  server.on('error', (error) => log('error', 'http.acceptFailed', error.message, {}));
  let closing: Promise<void> | undefined;
  return { port: portOf(server, port), close: () => (closing ??= closeBounded(server)) };
}

async function closeBounded(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  try {
    // It closes idle connections at once.
    await new Promise((resolve) => server.close(resolve));
  } finally {
    clearTimeout(cut);
  }
}

function portOf(server: Server, asked: number): number {
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : asked;
}

import { createApp } from './app.ts';
import { BindError } from './bind-error.ts';
import type { FastifyInstance } from 'fastify';
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
  const app = createApp(options);
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    throw new BindError(host, port, error);
  }
  // Node reports a failing accept here; unheard, it would end the process.
  app.server.on('error', (error) => log('error', 'http.acceptFailed', error.message, {}));
  let closing: Promise<void> | undefined;
  return { port: portOf(app, port), close: () => (closing ??= closeBounded(app)) };
}

async function closeBounded(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}

function portOf(app: FastifyInstance, asked: number): number {
  const address = app.server.address();
  return address !== null && typeof address === 'object' ? address.port : asked;
}

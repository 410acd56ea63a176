import fastify from 'fastify';
import { createBoundedServer, refuseClient } from './listener.ts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HealthReport } from '../health/report.ts';

/** What the server tells; it is asked anew for every request. */
export interface HealthSource {
  health(): HealthReport;
  version(): object;
  /** The Prometheus text format, 0.0.4. */
  metrics(): Promise<string>;
  /** False only when a restart of the process is the remedy. */
  live(): boolean;
  /** False while starting, draining or failed. */
  ready(): boolean;
}

export type WriteLog = (
  level: 'debug' | 'info' | 'warn' | 'error',
  event: string,
  message: string,
  fields: Record<string, unknown>,
) => void;

export interface AppOptions {
  source: HealthSource;
  /** Takes the secrets out of a text; it is applied to every body as a whole. */
  redact: (text: string) => string;
  log: WriteLog;
}

interface Answer {
  status: number;
  body: object | string;
}

/** Bytes of an unwanted body that are taken and thrown away to keep the connection; a bigger one ends it. */
const MAX_UNREAD_BODY = 1_024;
/** Milliseconds until an answer that does not come is an error. */
const HANDLER_TIMEOUT_MS = 5_000;

/**
 * The routes: GET and HEAD of /health, /version, /livez, /readyz and /metrics. Every other method there is 405,
 * every other path 404. Errors are `{ error: { message } }`, never with a stack. No route reads a body.
 */
export function createApp({ source, redact, log }: AppOptions): FastifyInstance {
  const app = fastify({
    serverFactory: (listener) => createBoundedServer(listener),
    clientErrorHandler: (error, socket) => {
      log('debug', 'http.refused', `A client sent what is not a request: ${error.message}`, {
        code: error.code,
      });
      refuseClient(error, socket);
    },
    frameworkErrors: (_error, request, reply) => {
      send(request, reply, failure(400, 'The address cannot be read.'));
    },
    handlerTimeout: HANDLER_TIMEOUT_MS,
  });
  const routes = routesOf(source);

  function send(request: FastifyRequest, reply: FastifyReply, { status, body }: Answer): FastifyReply {
    if (hasUnreadBody(request)) reply.header('connection', 'close');
    if (status === 405) reply.header('allow', 'GET, HEAD');
    return reply
      .code(status)
      .header('cache-control', 'no-store')
      .header('x-content-type-options', 'nosniff')
      .type(
        typeof body === 'string'
          ? 'text/plain; version=0.0.4; charset=utf-8'
          : 'application/json; charset=utf-8',
      )
      .send(redact(typeof body === 'string' ? body : JSON.stringify(body)));
  }

  function refuse(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const path = pathOf(request);
    const answer = routes.has(path)
      ? failure(405, `${path} answers GET and HEAD only.`)
      : failure(404, `There is nothing here. Ask for one of ${[...routes.keys()].join(', ')}.`);
    return send(request, reply, answer);
  }

  // As early as this, so that Fastify does not parse a body first.
  app.addHook('onRequest', async (request, reply) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') await refuse(request, reply);
  });
  app.setNotFoundHandler(refuse);
  app.setErrorHandler((error, request, reply) => {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    log('error', 'http.failed', `${request.method} ${pathOf(request)} could not be answered: ${message}`, {
      stack,
    });
    return send(request, reply, failure(500, 'The answer could not be made. The log says why.'));
  });
  for (const [path, answer] of routes) {
    app.get(path, async (request, reply) => send(request, reply, await answer()));
  }
  return app;
}

function routesOf(source: HealthSource): Map<string, () => Answer | Promise<Answer>> {
  return new Map<string, () => Answer | Promise<Answer>>([
    ['/health', () => healthAnswer(source.health())],
    ['/version', () => ({ status: 200, body: source.version() })],
    ['/livez', () => liveAnswer(source.live())],
    ['/readyz', () => readyAnswer(source)],
    ['/metrics', async () => ({ status: 200, body: await source.metrics() })],
  ]);
}

/** Degraded is 200: a gateway that waits for a healthy runtime would otherwise never start. */
function healthAnswer(report: HealthReport): Answer {
  return { status: report.status === 'draining' || report.status === 'failed' ? 503 : 200, body: report };
}

function liveAnswer(live: boolean): Answer {
  return live ? { status: 200, body: { status: 'live' } } : { status: 503, body: { status: 'failed' } };
}

function readyAnswer(source: HealthSource): Answer {
  if (source.ready()) return { status: 200, body: { status: 'ready' } };
  const { status, reason } = source.health();
  return { status: 503, body: { status, reason } };
}

const pathOf = ({ url }: FastifyRequest): string => url.replace(/\?.*/s, '');

const failure = (status: number, message: string): Answer => ({ status, body: { error: { message } } });

/** Whether so much body may follow that reading it to keep the connection is not worth it. */
function hasUnreadBody({ headers }: FastifyRequest): boolean {
  return (
    headers['transfer-encoding'] !== undefined ||
    headers.expect !== undefined ||
    Number(headers['content-length'] ?? 0) > MAX_UNREAD_BODY
  );
}

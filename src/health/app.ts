import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { OPENMETRICS_TYPE, PROMETHEUS_TYPE, toOpenMetrics, wantsOpenMetrics } from './exposition.ts';
import { withEarlierNames } from './earlier-names.ts';
import { createBoundedServer, refuseClient } from './listener.ts';
import type { WhyAnswer } from '../stories/answer.ts';
import type { HealthReport } from './report.ts';

/** What the server answers. It makes a new answer for every request. */
export interface HealthSource {
  health(): HealthReport;
  version(): object;
  /** The Prometheus text format. */
  metrics(): Promise<string>;
  /** The story of a notification. @param question its id, a task, an agent, or words of the message */
  why(question: string): Promise<WhyAnswer>;
  /** False only when a restart of the process is the remedy. */
  live(): boolean;
  /** False while starting, draining or failed, and while nothing can be delivered before a person acts. */
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
  /** Only for a text: JSON has its own content type. */
  contentType?: string;
}

/** Bytes of an unwanted body that are taken and thrown away to keep the connection; a bigger one ends it. */
const MAX_UNREAD_BODY = 1_024;
/** Milliseconds until an answer that does not come is an error. */
const HANDLER_TIMEOUT_MS = 5_000;

type Route = (request: IncomingMessage) => Answer | Promise<Answer>;

/**
 * The routes: GET and HEAD of /health, /version, /livez, /readyz, /metrics and /why?q=. Every other method there is 405,
 * every other path 404. Errors are `{ error: { message } }`, never with a stack. No route reads a body.
 * @returns not listening yet
 */
export function createApp({ source, redact, log }: AppOptions): Server {
  const routes = routesOf(source);
  const server = createBoundedServer((request, response) => {
    void answerTo(request).then((answer) => send(request, response, answer));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    log('debug', 'http.refused', `A client sent something that is not a request: ${error.message}`, {
      code: error.code,
    });
    refuseClient(error, socket);
  });

  async function answerTo(request: IncomingMessage): Promise<Answer> {
    const path = pathOf(request);
    if (path === null) return failure(400, 'The address cannot be read.');
    const route = routes.get(path);
    if (route === undefined) {
      return failure(404, `There is nothing here. Ask for one of ${[...routes.keys()].join(', ')}.`);
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return failure(405, `${path} answers GET and HEAD only.`);
    }
    try {
      return await inTime(() => route(request));
    } catch (error) {
      const { message, stack } = error instanceof Error ? error : new Error(String(error));
      log('error', 'http.failed', `${request.method} ${path} could not be answered: ${message}`, { stack });
      return failure(500, 'The answer could not be made. The log says why.');
    }
  }

  function send(
    request: IncomingMessage,
    response: ServerResponse,
    { status, body, contentType }: Answer,
  ): void {
    const text = redact(typeof body === 'string' ? body : JSON.stringify(body));
    response.writeHead(status, {
      'content-type': contentType ?? 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(status === 405 && { allow: 'GET, HEAD' }),
      ...((hasUnreadBody(request) || !server.listening) && { connection: 'close' }),
    });
    response.end(text);
  }

  return server;
}

async function inTime(route: () => Answer | Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${HANDLER_TIMEOUT_MS} ms`)),
      HANDLER_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([route(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function routesOf(source: HealthSource): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    ['/health', () => healthAnswer(source.health())],
    ['/version', () => ({ status: 200, body: source.version() })],
    ['/livez', () => liveAnswer(source.live())],
    ['/readyz', () => readyAnswer(source)],
    ['/metrics', async (request) => metricsAnswer(await source.metrics(), request)],
    ['/why', async (request) => whyAnswer(await source.why(questionOf(request)))],
  ]);
}

/** Degraded answers 200. Otherwise a gateway that waits for a healthy runtime would never start. */
function healthAnswer(report: HealthReport): Answer {
  return {
    status: report.status === 'draining' || report.status === 'failed' ? 503 : 200,
    body: withEarlierNames(report),
  };
}

function metricsAnswer(text: string, { headers }: IncomingMessage): Answer {
  return wantsOpenMetrics(headers.accept)
    ? { status: 200, body: toOpenMetrics(text), contentType: OPENMETRICS_TYPE }
    : { status: 200, body: text, contentType: PROMETHEUS_TYPE };
}

/** Several matches answer 300, because each has an address of its own. */
function whyAnswer(answer: WhyAnswer): Answer {
  return { status: { story: 200, several: 300, none: 404 }[answer.kind], body: answer };
}

const questionOf = ({ url = '' }: IncomingMessage): string =>
  new URLSearchParams(/\?(.*)/s.exec(url)?.[1] ?? '').get('q') ?? '';

function liveAnswer(live: boolean): Answer {
  return live ? { status: 200, body: { status: 'live' } } : { status: 503, body: { status: 'failed' } };
}

function readyAnswer(source: HealthSource): Answer {
  if (source.ready()) return { status: 200, body: { status: 'ready' } };
  const { status, reason } = source.health();
  return { status: 503, body: { status, reason } };
}

/** Without the query; null when it is no address. */
function pathOf({ url = '' }: IncomingMessage): string | null {
  try {
    return decodeURIComponent(url.replace(/\?.*/s, ''));
  } catch {
    return null;
  }
}

const failure = (status: number, message: string): Answer => ({ status, body: { error: { message } } });

/** Whether so large a body may follow that reading it costs more than a new connection. */
function hasUnreadBody({ headers }: IncomingMessage): boolean {
  return (
    headers['transfer-encoding'] !== undefined ||
    headers.expect !== undefined ||
    Number(headers['content-length'] ?? 0) > MAX_UNREAD_BODY
  );
}

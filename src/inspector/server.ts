/** The inspector's port: one page, the charts, the stream, and the few commands. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createBoundedServer, refuseClient } from '../health/listener.ts';
import type { WhyAnswer } from '../stories/answer.ts';
import type { Assets } from './assets.ts';
import { checkHost, checkOrigin } from './guard.ts';
import { createHub, MOST_VIEWERS, type Hub, type Message } from './hub.ts';
import { securityHeaders } from './security-headers.ts';
import { COMMANDS, type CommandName } from './wire.ts';

export interface ServerOptions {
  /** INSPECTOR_HOST */
  host: string;
  assets: Assets;
  redact: (text: string) => string;
  /** A viewer came; the id is where its last stream broke off. @returns what it is told first */
  greet: (lastId: string | null) => Message;
  /** The last viewer left. */
  onLast: () => void;
  command: (name: CommandName) => void;
  /** The story of a notification. */
  why: (question: string) => Promise<WhyAnswer>;
  onError: (error: unknown) => void;
}

export interface InspectorServer {
  http: Server;
  hub: Hub;
  close(): Promise<void>;
}

/** Shorter than the listener's idle time-out: a silent stream is no idle connection. */
const HEARTBEAT_MS = 4_000;
/** Milliseconds for the last words to the viewers. */
const CLOSE_GRACE_MS = 300;

/** Not listening yet. */
export function createInspectorServer(options: ServerOptions): InspectorServer {
  const hub = createHub(options.redact, options.onLast);
  const http = createBoundedServer((request, response) => {
    try {
      answer(options, hub, request, response);
    } catch (error) {
      response.destroy();
      options.onError(error);
    }
  });
  http.on('clientError', refuseClient);
  const heartbeat = setInterval(() => hub.heartbeat(), HEARTBEAT_MS);
  heartbeat.unref();
  return {
    http,
    hub,
    async close() {
      clearInterval(heartbeat);
      // A viewer that does not read is not waited for.
      await Promise.race([hub.close(), delay(CLOSE_GRACE_MS, undefined, { ref: false })]);
      http.closeAllConnections();
      await new Promise<void>((resolve) => void http.close(() => resolve()));
    },
  };
}

interface Reply {
  status: number;
  type: string;
  body: string;
  headers?: Record<string, string>;
}

const JSON_TYPE = 'application/json; charset=utf-8';

const refusal = (status: number, message: string, headers: Record<string, string> = {}): Reply => ({
  status,
  type: JSON_TYPE,
  body: JSON.stringify({ error: { message } }),
  // A body that nobody reads is not waited for.
  headers: { connection: 'close', ...headers },
});

function answer(options: ServerOptions, hub: Hub, request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '/').replace(/[?#].*/s, '');
  const host = checkHost(request, options.host);
  const origin = checkOrigin(request, path === '/');
  if (!host.ok) send(response, refusal(403, host.reason));
  else if (!origin.ok) send(response, refusal(403, origin.reason));
  else if (path.startsWith('/commands/')) send(response, takeCommand(options, hub, request, path));
  else if (request.method !== 'GET') {
    send(response, refusal(405, `${path} answers GET only.`, { allow: 'GET' }));
  } else if (path === '/events' && hub.count() < MOST_VIEWERS) startStream(options, hub, request, response);
  else if (path === '/why') void tellWhy(options, request).then((reply) => send(response, reply));
  else send(response, read(options.assets, path));
}

function send(response: ServerResponse, { status, type, body, headers = {} }: Reply): void {
  response.writeHead(status, { ...securityHeaders(), 'content-type': type, ...headers }).end(body);
}

function read({ page, charts }: Assets, path: string): Reply {
  if (path === '/') {
    const nonce = randomBytes(18).toString('base64');
    const body = page.replaceAll('{{nonce}}', nonce);
    return { status: 200, type: 'text/html; charset=utf-8', body, headers: securityHeaders(nonce) };
  }
  if (path === '/events') {
    return refusal(503, `${MOST_VIEWERS} viewers are watching: close one of their pages first.`);
  }
  const svg = charts.get(/^\/charts\/([A-Za-z]+)\.svg$/.exec(path)?.[1] ?? '');
  if (svg === undefined) return refusal(404, 'There is nothing here. The page is at /.');
  return { status: 200, type: 'image/svg+xml; charset=utf-8', body: svg };
}

async function tellWhy({ why, redact }: ServerOptions, { url = '' }: IncomingMessage): Promise<Reply> {
  const question = new URLSearchParams(/\?([^#]*)/s.exec(url)?.[1] ?? '').get('q') ?? '';
  try {
    return { status: 200, type: JSON_TYPE, body: redact(JSON.stringify(await why(question))) };
  } catch {
    return refusal(500, 'The story cannot be told.');
  }
}

function startStream(
  { greet }: ServerOptions,
  hub: Hub,
  { headers }: IncomingMessage,
  response: ServerResponse,
): void {
  for (const [name, value] of Object.entries(securityHeaders())) response.setHeader(name, value);
  const { 'last-event-id': lastId } = headers;
  hub.admit(response, greet(typeof lastId === 'string' ? lastId : null));
}

function takeCommand(
  { command }: ServerOptions,
  hub: Hub,
  { method, headers }: IncomingMessage,
  path: string,
): Reply {
  const name = path.slice('/commands/'.length);
  const key = headers['x-inspector-key'];
  if (method !== 'POST') return refusal(405, 'A command is sent by POST.', { allow: 'POST' });
  if (typeof key !== 'string' || !hub.knows(key)) {
    return refusal(403, 'A command needs the key of an open page.');
  }
  if (!isCommand(name)) {
    return refusal(403, `This cannot be sent from here; ${Object.keys(COMMANDS).join(', ')} can.`);
  }
  command(name);
  return { status: 202, type: JSON_TYPE, body: '{"sent":true}' };
}

const isCommand = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name);

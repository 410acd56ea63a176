import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { readBody } from './body.ts';
import type { Fault, Faults } from './faults.ts';
import type { FunctionCall, FunctionKind, Host } from './host.ts';
import { HttpProblem } from './problem.ts';
import { errorReply, isConvexError, parseCall, parseJson, successReply } from './wire.ts';
import type { FunctionReply } from './wire.ts';

export interface ServerOptions {
  host: Host;
  /** null: there is no `/__faults`. */
  faults: Faults | null;
  log: (line: string) => void;
}

const KINDS: ReadonlyMap<string, FunctionKind> = new Map([
  ['/api/query', 'query'],
  ['/api/mutation', 'mutation'],
  ['/api/action', 'action'],
]);

/** The function API over HTTP. Every request gets an answer; none ends the process. */
export function createBackendServer(options: ServerOptions): Server {
  return createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return;
      const problem = error instanceof HttpProblem ? error : unexpected(options, error);
      send(response, problem.status, { code: problem.code, message: problem.message });
    });
  });
}

function unexpected(options: ServerOptions, error: unknown): HttpProblem {
  const message = error instanceof Error ? error.message : String(error);
  options.log(`a request failed: ${message}`);
  return new HttpProblem(500, 'InternalServerError', message);
}

async function answer(
  options: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  if (path === '/version' || path === '/healthz') {
    requireMethod(request, 'GET', path);
    if (path === '/version') sendText(response, 'local');
    else send(response, 200, { status: 'ok' });
    return;
  }
  if (path === '/__faults' && options.faults) {
    requireMethod(request, 'POST', path);
    options.faults.set(parseJson(await readBody(request)));
    send(response, 200, { status: 'ok' });
    return;
  }
  const kind = KINDS.get(path);
  if (!kind) throw new HttpProblem(404, 'NotFound', `There is nothing at ${path}.`);
  requireMethod(request, 'POST', path);
  const call = parseCall(kind, await readBody(request));
  await answerCall(options, call, response);
}

async function answerCall(
  { host, faults, log }: ServerOptions,
  call: FunctionCall,
  response: ServerResponse,
): Promise<void> {
  const fault = faults?.take(call.path) ?? null;
  if (fault?.delayMs !== undefined) await sleep(fault.delayMs, undefined, { ref: false });
  if (fault?.mode === 'hang') return;
  throwIfDown(fault);
  const reply =
    fault?.mode === 'error' ? errorReply(call, new Error('Fault on command')) : await run(host, call, log);
  if (fault?.mode === 'lost') response.destroy();
  else send(response, 200, reply);
}

async function run(host: Host, call: FunctionCall, log: ServerOptions['log']): Promise<FunctionReply> {
  try {
    return successReply(await host.call(call));
  } catch (error) {
    // A ConvexError is a function's answer; anything else is a mistake, here or at the caller's.
    if (!isConvexError(error))
      log(`${call.path} failed: ${error instanceof Error ? error.message : String(error)}`);
    return errorReply(call, error);
  }
}

function throwIfDown(fault: Fault | null): void {
  if (fault?.mode === '500') throw new HttpProblem(500, 'InternalServerError', 'Fault on command');
  if (fault?.mode === '429') throw new HttpProblem(429, 'RateLimited', 'Fault on command');
}

function requireMethod(request: IncomingMessage, method: string, path: string): void {
  if (request.method !== method) {
    throw new HttpProblem(405, 'MethodNotAllowed', `${path} answers ${method} only.`);
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

function sendText(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'Content-Type': 'text/plain' }).end(text);
}

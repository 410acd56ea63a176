import { timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { readBody } from './body.ts';
import { ANYONE, type Call, type Caller, type Engine } from './engine/engine.ts';
import type { FunctionKind } from './engine/functions.ts';
import type { Fault, Faults } from './faults.ts';
import { HttpProblem } from './problem.ts';
import { encodeTimestamp } from './sync/messages.ts';
import { exportZip, snapshotFile } from './transfer.ts';
import { errorReply, isConvexError, parseJson, readCall, successReply } from './wire.ts';
import type { FunctionReply } from './wire.ts';

export interface ServerOptions {
  engine: Engine;
  /** Opens internal functions, backups and exports. */
  adminKey: string;
  /** null: there is no `/__faults`. */
  faults: Faults | null;
  log: (line: string) => void;
}

const KINDS: ReadonlyMap<string, FunctionKind> = new Map([
  ['/api/query', 'query'],
  ['/api/query_at_ts', 'query'],
  ['/api/mutation', 'mutation'],
  ['/api/action', 'action'],
]);

/** The function API over HTTP. Every request gets an answer; none ends the process. */
export function createBackendServer(options: ServerOptions): Server {
  const tell = tellOnce(options);
  return createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return;
      const problem = error instanceof HttpProblem ? error : unexpected(options, error);
      if (problem.status === 503) tell(problem.message);
      send(response, problem.status, { code: problem.code, message: problem.message });
    });
  });
}

/** A full disk fails every write. One line in the log says so until something is written again. */
function tellOnce({ engine, log }: ServerOptions): (problem: string) => void {
  let told = '';
  engine.onCommit(({ touches }) => {
    if (told !== '' && touches.length > 0) {
      told = '';
      log('Mission Control can write again.');
    }
  });
  return (problem) => {
    if (problem !== told) log(problem);
    told = problem;
  };
}

function unexpected(options: ServerOptions, error: unknown): HttpProblem {
  const message = error instanceof Error ? error.message : String(error);
  options.log(`a request failed: ${message}`);
  return new HttpProblem(500, 'InternalServerError', message);
}

type Handler = (
  options: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void> | void;

interface Route {
  method: 'GET' | 'POST';
  handle: Handler;
}

const ROUTES = new Map<string, Route>([
  [
    '/version',
    { method: 'GET', handle: (_options, _request, response) => sendBytes(response, 'local', 'text/plain') },
  ],
  [
    '/healthz',
    { method: 'GET', handle: (_options, _request, response) => send(response, 200, { status: 'ok' }) },
  ],
  ['/api/query_ts', { method: 'POST', handle: sendTimestamp }],
  ['/api/local/backup', { method: 'GET', handle: sendBackup }],
  ['/api/local/export', { method: 'GET', handle: sendExport }],
  ['/__faults', { method: 'POST', handle: setFaults }],
]);

async function answer(
  options: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const kind = KINDS.get(path);
  const found: Route | undefined = kind ? { method: 'POST', handle: callHandler(kind) } : ROUTES.get(path);
  if (!found || (path === '/__faults' && !options.faults)) {
    throw new HttpProblem(404, 'NotFound', `There is nothing at ${path}.`);
  }
  if (request.method !== found.method) {
    throw new HttpProblem(405, 'MethodNotAllowed', `${path} answers ${found.method} only.`);
  }
  await found.handle(options, request, response);
}

const callHandler =
  (kind: FunctionKind): Handler =>
  async (options, request, response) => {
    const caller = callerOf(options, request);
    const json = parseJson(await readBody(request));
    const call = readCall(kind, json);
    requirePresent(options.engine, json);
    await answerCall(options, call, caller, response);
  };

/** @throws HttpProblem when the header holds what is no key of ours */
function callerOf({ adminKey }: ServerOptions, { headers }: IncomingMessage): Caller {
  const [scheme, given = ''] = (headers.authorization ?? '').split(' ');
  if (scheme === '') return ANYONE;
  if (scheme === 'Bearer') {
    throw new HttpProblem(
      401,
      'Unauthenticated',
      'The local Mission Control has no sign-in: send no Bearer token.',
    );
  }
  const [key = '', identity] = given.split(':');
  if (scheme !== 'Convex' || !isSame(key, adminKey)) {
    throw new HttpProblem(
      401,
      'BadAdminKey',
      'The admin key is not the one in the data directory (file admin-key).',
    );
  }
  const user = identity === undefined ? null : parseJson(Buffer.from(identity, 'base64').toString('utf8'));
  return { identity: user as Caller['identity'], isAdmin: true };
}

const isSame = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

function requireAdmin(options: ServerOptions, request: IncomingMessage): void {
  if (callerOf(options, request).isAdmin) return;
  throw new HttpProblem(
    401,
    'BadAdminKey',
    'This needs the admin key: send it as "Authorization: Convex KEY".',
  );
}

/** Only the present is kept, so a query at an earlier time cannot be answered. */
function requirePresent(engine: Engine, json: unknown): void {
  if (typeof json !== 'object' || json === null || !('ts' in json)) return;
  if (json.ts === encodeTimestamp(engine.lastCommit())) return;
  throw new HttpProblem(
    400,
    'TimestampGone',
    'Something was written since that timestamp: ask for a new one.',
  );
}

async function answerCall(
  { engine, faults, log }: ServerOptions,
  call: Call,
  caller: Caller,
  response: ServerResponse,
): Promise<void> {
  const fault = faults?.take(call.path) ?? null;
  if (fault?.delayMs !== undefined) await sleep(fault.delayMs, undefined, { ref: false });
  if (fault?.mode === 'hang') return;
  throwIfDown(fault);
  const reply =
    fault?.mode === 'error'
      ? errorReply(call, new Error('Fault on command'))
      : await run(engine, call, caller, log);
  if (fault?.mode === 'lost') response.destroy();
  else send(response, 200, reply);
}

async function run(
  engine: Engine,
  call: Call,
  caller: Caller,
  log: ServerOptions['log'],
): Promise<FunctionReply> {
  try {
    return successReply(await engine.call(call, caller));
  } catch (error) {
    if (error instanceof HttpProblem) throw error;
    // A ConvexError is a function's answer; anything else is a mistake, here or at the caller's.
    if (!isConvexError(error)) {
      log(`${call.path} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    return errorReply(call, error);
  }
}

function throwIfDown(fault: Fault | null): void {
  if (fault?.mode === '500') throw new HttpProblem(500, 'InternalServerError', 'Fault on command');
  if (fault?.mode === '503') throw new HttpProblem(503, 'ServiceUnavailable', 'Fault on command');
  if (fault?.mode === '429') throw new HttpProblem(429, 'RateLimited', 'Fault on command');
}

async function setFaults({ faults }: ServerOptions, request: IncomingMessage, response: ServerResponse) {
  faults?.set(parseJson(await readBody(request)));
  send(response, 200, { status: 'ok' });
}

function sendTimestamp({ engine }: ServerOptions, _request: IncomingMessage, response: ServerResponse): void {
  send(response, 200, { ts: encodeTimestamp(engine.lastCommit()) });
}

async function sendBackup(options: ServerOptions, request: IncomingMessage, response: ServerResponse) {
  requireAdmin(options, request);
  const copy = await options.engine.alone(() => snapshotFile(options.engine.store));
  sendBytes(response, copy, 'application/octet-stream');
}

async function sendExport(options: ServerOptions, request: IncomingMessage, response: ServerResponse) {
  requireAdmin(options, request);
  const zip = await options.engine.alone(() => exportZip(options.engine.store));
  sendBytes(response, zip, 'application/zip');
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

function sendBytes(response: ServerResponse, body: string | Uint8Array, type: string): void {
  response.writeHead(200, { 'Content-Type': type }).end(body);
}

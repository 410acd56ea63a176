import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { readBody } from '../../../src/local/mission-control/body.ts';
import { HttpProblem } from '../../../src/local/mission-control/problem.ts';
import type { Call } from '../../../src/local/mission-control/engine/engine.ts';
import type { FunctionKind } from '../../../src/local/mission-control/engine/functions.ts';
import {
  errorReply,
  parseJson,
  readCall,
  type FunctionReply,
} from '../../../src/local/mission-control/wire.ts';
import type { JSONValue } from 'convex/values';
import { COMMANDS, type Control } from './control.ts';
import type { Fault } from './faults.ts';
import { findFunction, splitPath } from './functions.ts';

const CONTROL = '/__control/';

/** The contract over HTTP, as a stock ConvexHttpClient speaks it (docs/contract.md#transport), and `/__control/`. */
export function createContractServer(control: Control): Server {
  const server = createServer((request, response) => {
    answer(control, request, response).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return;
      const problem =
        error instanceof HttpProblem
          ? error
          : new HttpProblem(500, 'InternalServerError', error instanceof Error ? error.message : 'unknown');
      send(response, problem.status, { code: problem.code, message: problem.message });
    });
  });
  // A client that keeps its connection must not find it closed under its next call.
  server.keepAliveTimeout = 60_000;
  return server;
}

async function answer(control: Control, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? '/';
  const [, kind] = /^\/api\/(query|mutation|action)$/.exec(path) ?? [];
  if (isKind(kind) && request.method === 'POST') {
    await answerCall(control, readCall(kind, parseJson(await readBody(request))), response);
  } else if (path.startsWith(CONTROL)) {
    await answerCommand(control, path.slice(CONTROL.length), request, response);
  } else if (path === '/version') {
    response.end('contract');
  } else {
    throw new HttpProblem(404, 'NotFound', `There is nothing at ${path}.`);
  }
}

async function answerCommand(
  control: Control,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const command = COMMANDS.get(name);
  if (command === undefined) throw new HttpProblem(404, 'NotFound', `There is no command ${name}.`);
  const body = request.method === 'POST' ? parseJson(await readBody(request)) : undefined;
  send(response, 200, command(control, body));
}

const isKind = (kind: string | undefined): kind is FunctionKind => kind !== undefined;

async function answerCall(control: Control, call: Call, response: ServerResponse): Promise<void> {
  const [, name] = splitPath(call.path);
  const fault = control.faults.take(name);
  if (fault !== null && fault.delayMs > 0) await sleep(fault.delayMs, undefined, { ref: false });
  if (fault?.mode === 'hang') return;
  throwIfDown(fault);
  const reply =
    fault?.mode === 'error' ? errorReply(call, new Error('Fault on command')) : run(control, call);
  if (fault?.mode === 'lost') response.destroy();
  else send(response, 200, reply);
}

function run(control: Control, call: Call): FunctionReply {
  try {
    return { status: 'success', value: valueOf(control, call), logLines: [] };
  } catch (error) {
    return errorReply(call, error);
  }
}

function valueOf(control: Control, call: Call): JSONValue {
  const [, name] = splitPath(call.path);
  const tally = control.calls.get(name) ?? { calls: 0, failed: 0 };
  control.calls.set(name, tally);
  tally.calls += 1;
  try {
    // What the functions take and give is plain JSON.
    return findFunction(control.store, call.path)(
      control.store,
      call.args as Record<string, JSONValue>,
    ) as JSONValue;
  } catch (error) {
    tally.failed += 1;
    throw error;
  }
}

/** For subscribers; of the faults only `error` befalls them. */
export function answerQuery(control: Control, call: Call): JSONValue {
  const fault = control.faults.take(splitPath(call.path)[1]);
  if (fault?.mode === 'error') throw new Error('Fault on command');
  return valueOf(control, call);
}

function throwIfDown(fault: Fault | null): void {
  if (fault?.mode === '500') throw new HttpProblem(500, 'InternalServerError', 'Fault on command');
  if (fault?.mode === '503') throw new HttpProblem(503, 'ServiceUnavailable', 'Fault on command');
  if (fault?.mode === '429') throw new HttpProblem(429, 'RateLimited', 'Fault on command');
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { readBody } from '../../../src/dev/backend/body.ts';
import { HttpProblem } from '../../../src/dev/backend/problem.ts';
import { errorReply, parseCall, parseJson } from '../../../src/dev/backend/wire.ts';
import { COMMANDS, type Control } from './control.ts';
import type { Fault } from './faults.ts';
import { FUNCTIONS } from './functions.ts';

const PREFIX = 'service/actions:';
const CONTROL = '/__control/';

/** The contract over HTTP, as a stock ConvexHttpClient speaks it (section 0), and `/__control/`. */
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
  if (path === '/api/action' && request.method === 'POST') {
    await answerCall(control, await readBody(request), response);
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

async function answerCall(control: Control, body: string, response: ServerResponse): Promise<void> {
  const call = parseCall('action', body);
  const name = call.path.startsWith(PREFIX) ? call.path.slice(PREFIX.length) : call.path;
  const fault = control.faults.take(name);
  if (fault !== null && fault.delayMs > 0) await sleep(fault.delayMs, undefined, { ref: false });
  if (fault?.mode === 'hang') return;
  throwIfDown(fault);
  const reply =
    fault?.mode === 'error' ? errorReply(call, new Error('Fault on command')) : run(control, call, name);
  if (fault?.mode === 'lost') response.destroy();
  else send(response, 200, reply);
}

function run(control: Control, call: ReturnType<typeof parseCall>, name: string): unknown {
  const tally = control.calls.get(name) ?? { calls: 0, failed: 0 };
  control.calls.set(name, tally);
  tally.calls += 1;
  try {
    const handler = FUNCTIONS.get(name);
    if (handler === undefined) throw new Error(`Could not find public function for '${call.path}'`);
    return { status: 'success', value: handler(control.store, call.args), logLines: [] };
  } catch (error) {
    tally.failed += 1;
    return errorReply(call, error);
  }
}

function throwIfDown(fault: Fault | null): void {
  if (fault?.mode === '500') throw new HttpProblem(500, 'InternalServerError', 'Fault on command');
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

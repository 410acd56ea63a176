import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import * as v from 'valibot';
import { readJson } from './body.ts';
import { authorized, handleResponses } from './responses.ts';
import { createState, failing, FaultSetting } from './state.ts';
import type { EchoOptions, EchoState } from './state.ts';
import { sendError, sendJson, sendText, sendUnavailable } from './wire.ts';

export interface EchoServer {
  server: Server;
  /** From now on the gateway is not ready and takes no new runs. Settles when the runs under way have ended. */
  drain: () => Promise<void>;
}

type Handler = (
  state: EchoState,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
) => void | Promise<void>;

/** The version of OpenClaw that this gateway imitates. */
const VERSION = '2026.9.6';

/** A gateway that speaks like OpenClaw 2026.9.6 and answers with an echo instead of a model. */
export function createEchoServer(options: EchoOptions): EchoServer {
  const state = createState(options);
  const server = createServer((request, response) => {
    answer(state, request, response).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      response.destroy();
    });
  });
  return {
    server,
    drain: () => {
      state.draining = true;
      return state.ledger.idle();
    },
  };
}

async function answer(state: EchoState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://echo').pathname;
  await handlerFor(path, state.options.faults)(state, request, response, path);
}

function handlerFor(path: string, faults: boolean): Handler {
  const handler = HANDLERS.get(path) ?? (faults ? CONTROLS.get(path) : undefined);
  if (handler) return handler;
  if (path.startsWith('/v1/models/')) return oneModel;
  return path.startsWith('/v1/') ? notFound : page;
}

const responses: Handler = (state, request, response) => handleResponses(state, request, response);

const health: Handler = (_state, _request, response) => sendJson(response, 200, { ok: true, status: 'live' });

const readiness: Handler = (state, _request, response) => {
  const reasons = failing(state);
  const ready = reasons.length === 0;
  sendJson(response, ready ? 200 : 503, { ready, failing: reasons, uptimeMs: Date.now() - state.startedAt });
};

const startup: Handler = (state, _request, response) => {
  if (state.draining) {
    sendJson(response, 503, { ok: false, status: 'draining' });
    return;
  }
  const uptimeMs = Date.now() - state.startedAt;
  sendJson(response, 200, { ok: true, status: 'started', version: VERSION, uptimeMs });
};

const allModels: Handler = (state, request, response) => {
  if (!authorized(state, request, response)) return;
  if (failing(state).length > 0) {
    sendUnavailable(response);
    return;
  }
  sendJson(response, 200, { object: 'list', data: modelsOf(state) });
};

const oneModel: Handler = (state, request, response, path) => {
  if (!authorized(state, request, response)) return;
  const asked = path.slice('/v1/models/'.length).replace(/%2F/gi, '/');
  const model = modelsOf(state).find(({ id }) => id === asked);
  if (model) {
    sendJson(response, 200, model);
    return;
  }
  sendError(response, 404, 'invalid_request_error', `Model '${asked}' not found.`);
};

const modelsOf = ({
  options,
}: EchoState): { id: string; object: 'model'; created: 0; owned_by: 'openclaw' }[] =>
  ['openclaw', 'openclaw/default', ...options.agents.map((slug) => `openclaw/${slug}`)].map((id) => ({
    id,
    object: 'model',
    created: 0,
    owned_by: 'openclaw',
  }));

const notFound: Handler = (_state, _request, response) => sendText(response, 404, 'Not Found');

/** OpenClaw answers any other path with its control page: a bare 200 says nothing about health. */
const page: Handler = (_state, _request, response) => {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end('<!doctype html><title>Echo gateway</title><p>A stand-in for an OpenClaw gateway.');
};

const setFault: Handler = async (state, request, response) => {
  const body = await readJson(request, response);
  if (body === null) return;
  const parsed = v.safeParse(FaultSetting, body.json);
  if (!parsed.success) {
    sendError(response, 400, 'invalid_request_error', v.summarize(parsed.issues));
    return;
  }
  state.fault = parsed.output;
  sendJson(response, 200, state.fault);
};

const runs: Handler = (state, _request, response) => sendJson(response, 200, state.ledger.report());

const HANDLERS = new Map<string, Handler>([
  ['/v1/responses', responses],
  ['/v1/models', allModels],
  ['/health', health],
  ['/healthz', health],
  ['/ready', readiness],
  ['/readyz', readiness],
  ['/startup', startup],
  ['/startupz', startup],
]);

const CONTROLS = new Map<string, Handler>([
  ['/__faults', setFault],
  ['/__runs', runs],
]);

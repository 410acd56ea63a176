import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { readJson } from '../../src/local/echo-gateway/body.ts';
import { lastQuote, notificationIdOf } from '../../src/local/echo-gateway/prompt.ts';
import {
  completed,
  failed,
  newResource,
  sendError,
  sendEvent,
  sendJson,
  sendUnavailable,
} from '../../src/local/echo-gateway/wire.ts';
import { monotonicMs } from '../kits/contract-backend/history.ts';
import type { Random } from '../kits/random.ts';
import type { Run, RunEnd } from './evidence.ts';

export interface ChaosGateway {
  url: string;
  /** The token of a process: it says whose runs are whose. */
  tokenFor(life: number): string;
  /** In the order of their requests. */
  runs: readonly Run[];
  /** From now on no run fails. */
  calm(): void;
  close(): Promise<void>;
}

export interface ChaosGatewayOptions {
  random: Random;
  /** The slugs that it knows; it looks at each request. */
  agents: readonly string[];
  /** Told of every request as it comes in. */
  onRun: (run: Run) => void;
}

/** How runs fail, and how often. */
const TROUBLE: readonly { share: number; trouble: Trouble }[] = [
  { share: 0.02, trouble: 'fail' },
  { share: 0.01, trouble: 'http500' },
  { share: 0.01, trouble: 'reset' },
  { share: 0.003, trouble: 'unavailable' },
  { share: 0.002, trouble: 'resetEarly' },
];

type Trouble = 'none' | 'fail' | 'http500' | 'reset' | 'unavailable' | 'resetEarly';

const SHORTEST_MS = 5;
const LONGEST_MS = 60;

const RunBody = v.object({ input: v.string() });

/** What a reply of run `id` says; the checks find the run by it. */
const replyOf = ({ id, notificationId, about }: Run): string =>
  `reply ${id} to ${notificationId} about ${about}`;

/**
 * A gateway that takes 5 to 60 ms for a run, sometimes fails, and writes down every request. A run whose client goes
 * away ends there, as OpenClaw's do.
 */
export async function startChaosGateway({
  random,
  agents,
  onRun,
}: ChaosGatewayOptions): Promise<ChaosGateway> {
  const runs: Run[] = [];
  const mood = { calm: false };
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readJson(request, response);
    if (body === null) return;
    const { input } = v.parse(RunBody, body.json);
    const run = beginRun(runs, request, input);
    onRun(run);
    const trouble = mood.calm ? 'none' : drawTrouble(random());
    await play(run, trouble, SHORTEST_MS + random() * (LONGEST_MS - SHORTEST_MS), response);
  };
  const server = createServer((request, response) => {
    if (request.url === '/v1/responses') {
      respond(request, response).catch(() => response.destroy());
    } else if (request.url === '/readyz') {
      sendJson(response, 200, { ready: true, failing: [] });
    } else if (request.url === '/startupz') {
      sendJson(response, 200, { ok: true, status: 'started', version: 'chaos' });
    } else if (request.url === '/v1/models') {
      sendJson(response, 200, { object: 'list', data: agents.map((slug) => ({ id: `openclaw/${slug}` })) });
    } else {
      sendError(response, 404, 'not_found', 'Not Found');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    tokenFor: (life) => `life-${life}`,
    runs,
    calm: () => {
      mood.calm = true;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function drawTrouble(drawn: number): Trouble {
  let edge = 0;
  return TROUBLE.find(({ share }) => drawn < (edge += share))?.trouble ?? 'none';
}

function beginRun(runs: Run[], { headers }: IncomingMessage, input: string): Run {
  const newest = lastQuote(input) ?? '';
  const kind = /## Notification \((\w+)\)/.exec(input)?.[1] ?? 'beat';
  const run: Run = {
    id: runs.length + 1,
    life: Number(/^Bearer life-(\d+)$/.exec(headers.authorization ?? '')?.[1] ?? 0),
    session: String(headers['x-openclaw-session-key']),
    notificationId: notificationIdOf(input),
    kind,
    about: /\bm\d+\b/.exec(newest)?.[0] ?? kind,
    startedAt: monotonicMs(),
    begunAt: null,
    endedAt: null,
    end: null,
  };
  runs.push(run);
  return run;
}

async function play(run: Run, trouble: Trouble, ms: number, response: ServerResponse): Promise<void> {
  const over = (end: RunEnd) => (): void => {
    run.end ??= end;
    run.endedAt ??= monotonicMs();
  };
  response.on('close', over('disconnected'));
  if (trouble === 'unavailable' || trouble === 'resetEarly') {
    over('unavailable')();
    if (trouble === 'unavailable') sendUnavailable(response);
    else response.socket?.resetAndDestroy();
    return;
  }
  const resource = newResource('openclaw');
  run.begunAt = monotonicMs();
  if (trouble === 'http500') {
    await sleep(ms);
    over('failed')();
    if (!response.destroyed) sendError(response, 500, 'api_error', 'internal error');
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  sendEvent(response, 'response.created', { response: resource });
  await sleep(ms);
  if (response.destroyed) return;
  if (trouble === 'reset') {
    over('reset')();
    response.destroy();
    return;
  }
  // A run is completed only when its whole answer was sent. A connection that breaks before counts as a cut.
  response.once('finish', over(trouble === 'fail' ? 'failed' : 'completed'));
  if (trouble === 'fail') sendEvent(response, 'response.failed', { response: failed(resource) });
  else sendEvent(response, 'response.completed', { response: completed(resource, textOf(run)) });
  response.end('data: [DONE]\n\n');
}

const textOf = (run: Run): string => (run.notificationId === null ? 'HEARTBEAT_OK' : replyOf(run));

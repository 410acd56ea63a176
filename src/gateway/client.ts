import type { Dispatcher } from 'undici';
import { Fault } from '../../machines/shared/fault.ts';
import type { Gateway, Reply, RunRequest } from '../ports.ts';
import { isRunAnswer, replyOf } from './answer.ts';
import { faultOfConnection, faultOfRefusal } from './classify.ts';
import { boundedChunks, headerOf, openConnection, parseJson, readHead, readText } from './exchange.ts';
import { startLimit } from '../limit.ts';
import type { Limit } from '../limit.ts';
import { probeGateway } from './probe.ts';
import { readStream } from './stream.ts';
import type { Progress } from './stream.ts';
import { authorization, createTarget, pathOf, placeOf, theirWords } from './target.ts';
import type { Target } from './target.ts';

export interface GatewayOptions {
  /** OPENCLAW_GATEWAY_URL, with or without a path prefix. */
  url: string;
  /** OPENCLAW_GATEWAY_TOKEN; empty when the gateway asks for none. */
  token: string;
  /** Covers a run from the connection to the last byte, in milliseconds. */
  requestTimeoutMs: number;
  /** Covers a whole probe, in milliseconds. */
  probeTimeoutMs?: number;
}

const MIB = 2 ** 20;
/** For a request, a plain answer and one event of a stream: fifty times what a thread takes (100,000 characters). */
const MAX_BODY_BYTES = 5 * MIB;
/** A stream says everything several times: word by word, and whole at its end. */
const MAX_STREAM_BYTES = 32 * MIB;
const MAX_REFUSAL_BYTES = 64 * 1024;
const MAX_CONNECT_MS = 10_000;
/** A gateway on a busy machine may take seconds to answer, and is not lost for that. */
const DEFAULT_PROBE_MS = 5_000;

/** The OpenClaw gateway over HTTP: OpenResponses, as version 2026.9.6 speaks it. */
export function createGateway(options: GatewayOptions): Gateway {
  const target = createTarget(options.url, options.token);
  const closing = new AbortController();
  const open = new Set<Promise<unknown>>();

  function track<T>(work: Promise<T>): Promise<T> {
    open.add(work);
    const done = (): boolean => open.delete(work);
    work.then(done, done);
    return work;
  }

  return {
    respond: (request) => track(respond(target, options.requestTimeoutMs, request, closing.signal)),
    probe: (deep, signal) =>
      track(probeGateway(target, options.probeTimeoutMs ?? DEFAULT_PROBE_MS, deep, [signal, closing.signal])),
    async close() {
      closing.abort();
      await Promise.allSettled(open);
    },
  };
}

async function respond(
  target: Target,
  timeoutMs: number,
  request: RunRequest,
  closing: AbortSignal,
): Promise<Reply> {
  const { headers, body } = encodeRun(target, request);
  const limit = startLimit(timeoutMs, [request.signal, closing]);
  // A gateway that cannot be reached must show as such and not as a run that took too long.
  const connection = openConnection(target, Math.min(MAX_CONNECT_MS, timeoutMs / 2));
  const progress: Progress = { begun: false };
  try {
    const answer = await connection.request({
      method: 'POST',
      path: pathOf(target, 'v1/responses'),
      headers,
      body,
      signal: limit.signal,
    });
    const reply = await readReply(answer, progress, target, request.onSign);
    await request.onReply?.(reply);
    return reply;
  } catch (error) {
    throw faultOfRun(error, limit, timeoutMs, progress, target);
  } finally {
    limit.clear();
    await connection.destroy();
  }
}

/** @throws Fault requestRejected for a run that we will not send, before any network */
function encodeRun(target: Target, request: RunRequest): { headers: Record<string, string>; body: Buffer } {
  const { agentSlug, instructions, tools = [] } = request;
  if (!/^[A-Za-z0-9_-]+$/.test(agentSlug)) {
    throw rejected(
      `The agent's slug ${JSON.stringify(agentSlug.slice(0, 60))} may hold letters, digits, "_" and "-" only.`,
    );
  }
  // An agent-scoped key names the same session on a gateway with one agent and with many; the gateway lower-cases it.
  const sessionKey = `agent:${agentSlug}:${request.sessionKey}`.toLowerCase();
  if (!/^[\x21-\x7e]+$/.test(sessionKey)) {
    throw rejected('The session key holds a space or a character that no HTTP header can carry.');
  }
  const model = `openclaw/${agentSlug}`;
  const body = Buffer.from(
    JSON.stringify({
      model,
      stream: true,
      instructions,
      input: inputOf(request),
      ...(tools.length > 0 && { tools }),
    }),
  );
  if (body.length > MAX_BODY_BYTES) {
    throw rejected(
      `The request has ${body.length} bytes, more than the ${MAX_BODY_BYTES} that are sent to a gateway.`,
    );
  }
  return {
    headers: {
      ...authorization(target),
      accept: 'text/event-stream, application/json',
      'content-type': 'application/json',
      'x-openclaw-agent-id': agentSlug,
      'x-openclaw-session-key': sessionKey,
    },
    body,
  };
}

/** The last item is what the gateway puts to the agent as the current message. */
function inputOf({ input, results = [] }: RunRequest): unknown {
  if (results.length === 0) return input;
  const outputs = results.map(({ callId, output }) => ({
    type: 'function_call_output',
    call_id: callId,
    output,
  }));
  const message = { type: 'message', role: 'user', content: input };
  return input === '' ? outputs : [...outputs, message];
}

const rejected = (message: string): Fault => new Fault('requestRejected', message);

async function readReply(
  answer: Dispatcher.ResponseData,
  progress: Progress,
  target: Target,
  onSign?: () => void,
): Promise<Reply> {
  onSign?.();
  const { statusCode: status } = answer;
  const type = headerOf(answer, 'content-type').toLowerCase();
  if (status !== 200) {
    const text = await readHead(answer, MAX_REFUSAL_BYTES);
    throw faultOfRefusal({ status, retryAfter: headerOf(answer, 'retry-after'), text }, target);
  }
  if (type.startsWith('text/event-stream')) {
    return readStream(boundedChunks(answer, MAX_STREAM_BYTES, onSign), progress, target, MAX_BODY_BYTES);
  }
  if (type !== '' && !type.startsWith('application/json')) throw notJson(theirWords(type, target), target);
  // A plain answer comes when the run is over.
  progress.begun = true;
  const body = parseJson(await readText(answer, MAX_BODY_BYTES, onSign));
  if (body === undefined) throw new Fault('runFailed', "The gateway's answer is not valid JSON.");
  if (!isRunAnswer(body)) throw notJson('JSON that is not a response', target);
  return replyOf(body, '', target);
}

const notJson = (what: string, target: Target): Fault =>
  new Fault(
    'gatewayMisconfigured',
    `${placeOf(target)} answers /v1/responses with ${what}: check OPENCLAW_GATEWAY_URL.`,
  );

function faultOfRun(
  error: unknown,
  limit: Limit,
  timeoutMs: number,
  progress: Progress,
  target: Target,
): unknown {
  if (error instanceof Fault) return error;
  if (limit.expired()) return new Fault('runTimedOut', `The run did not end within ${timeoutMs} ms.`);
  if (limit.signal.aborted) return new Fault('aborted', 'The run was given up.');
  return faultOfConnection(error, progress.begun, target) ?? error;
}

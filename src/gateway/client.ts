import { text as textOf } from 'node:stream/consumers';
import type { Dispatcher } from 'undici';
import { Fault } from '../../machines/shared/fault.ts';
import { openClient } from '../connect.ts';
import { headerOf, parseJson } from '../http.ts';
import { startLimit } from '../limit.ts';
import type { Gateway, Reply, RunRequest } from '../ports.ts';
import { NOTHING_STREAMED, replyOf } from './answer.ts';
import { formOf, isResponse, MIN_HEAD_BYTES, streamOf } from './answer-form.ts';
import { faultOfRefusal, faultOfRun, notAResponse } from './classify.ts';
import { boundedChunks, peek, readHead } from './body.ts';
import { decoded } from './decoded.ts';
import type { Traceparent } from '../traces/traces.ts';
import { probeGateway } from './probe.ts';
import { encodeRun } from './request.ts';
import { readStream } from './stream.ts';
import type { ReadReply } from './stream.ts';
import { createTarget, theirWords } from './target.ts';
import type { Target } from './target.ts';

export interface GatewayOptions {
  /** OPENCLAW_GATEWAY_URL, with or without a path prefix. */
  url: string;
  /** OPENCLAW_GATEWAY_TOKEN; empty when the gateway asks for none. */
  token: string;
  /** The proxy on the way to it; none when absent or null. */
  proxy?: string | null;
  /** Covers a run from the connection to its reply, in milliseconds. */
  requestTimeoutMs: number;
  /** Covers a whole probe, in milliseconds. */
  probeTimeoutMs?: number;
  /** Covers what a gateway sends after a reply, in milliseconds. */
  lingerMs?: number;
  /** The trace that a run belongs to. */
  traceparent?: Traceparent;
  /** Called once, with one sentence, for a run whose answer held something that could not be read. */
  onUnreadable?: (problem: string) => void;
}

const MIB = 2 ** 20;
/** For a plain answer and one event of a stream, in bytes: a reply of ten million characters is still read, and cut. */
const MAX_ANSWER_BYTES = 64 * MIB;
/** A stream holds everything several times: word by word, and whole at its end. */
const MAX_STREAM_BYTES = 8 * MAX_ANSWER_BYTES;
const MAX_REFUSAL_BYTES = 64 * 1024;
const MAX_CONNECT_MS = 10_000;
/** A gateway on a busy machine may take seconds to answer, and is not lost for that. */
const DEFAULT_PROBE_MS = 5_000;
const DEFAULT_LINGER_MS = 5_000;

/** The OpenClaw gateway over HTTP: OpenResponses, as version 2026.9.6 speaks it. */
export function createGateway(options: GatewayOptions): Gateway {
  const target = createTarget(options.url, options.token, options.proxy);
  const closing = new AbortController();
  const open = new Set<Promise<unknown>>();
  /**
   * The connections of runs whose reply is known, by session. The next run of a session waits until its last one is
   * closed.
   */
  const lingering = new Map<string, Promise<void>>();

  function track<T>(work: Promise<T>): Promise<T> {
    open.add(work);
    const done = (): boolean => open.delete(work);
    work.then(done, done);
    return work;
  }

  async function respond(request: RunRequest): Promise<Reply> {
    const session = request.sessionKey;
    await lingering.get(session);
    const { reply, released } = await startRun(target, options, request, closing.signal);
    lingering.set(session, released);
    void track(released).then(() => {
      if (lingering.get(session) === released) lingering.delete(session);
    });
    return reply;
  }

  return {
    respond: (request) => track(respond(request)),
    probe: (deep, signal) =>
      track(probeGateway(target, options.probeTimeoutMs ?? DEFAULT_PROBE_MS, deep, [signal, closing.signal])),
    async close() {
      closing.abort();
      while (open.size > 0) await Promise.allSettled(open);
    },
  };
}

/** Stands in where OPENCLAW_GATEWAY_URL is empty. The gate is closed then, so nobody calls it. */
export function createNoGateway(): Gateway {
  const refuse = () =>
    Promise.reject(new Fault('gatewayUnavailable', 'no gateway is configured: set OPENCLAW_GATEWAY_URL'));
  return { respond: refuse, probe: refuse, close: () => Promise.resolve() };
}

interface EndedRun {
  reply: Reply;
  /** Settles when the run's connection is closed. */
  released: Promise<void>;
}

async function startRun(
  target: Target,
  options: GatewayOptions,
  request: RunRequest,
  closing: AbortSignal,
): Promise<EndedRun> {
  const { requestTimeoutMs: timeoutMs, onUnreadable, lingerMs = DEFAULT_LINGER_MS } = options;
  const { headers, body } = encodeRun(target, request, options.traceparent?.());
  const limit = startLimit(timeoutMs, [request.signal, closing]);
  /** When the connection stood and the request went out, by performance.now(); null before. */
  const sent: { at: number | null } = { at: null };
  // A gateway that cannot be reached must show as such and not as a run that took too long.
  const connectTimeoutMs = Math.min(MAX_CONNECT_MS, timeoutMs / 2);
  // Runs share no pool: a pooled socket that the gateway has just closed would look like a gateway that is gone, and a
  // session's next request must never meet its last one.
  const connection = openClient(target, { connectTimeoutMs }, () => {
    sent.at = performance.now();
  });
  try {
    const answer = await connection.request({
      method: 'POST',
      origin: target.origin,
      path: `${target.prefix}v1/responses`,
      headers,
      body,
      signal: limit.signal,
    });
    request.onSign?.();
    const { reply, rest, leftOut } = await readReply(answer, sent.at, target, request.onSign);
    if (leftOut.count > 0) {
      onUnreadable?.(
        `The answer of ${request.agentSlug} held ${leftOut.count} events that could not be read and were left out, the first: "${leftOut.example}".`,
      );
    }
    await request.onReply?.(reply);
    return { reply, released: release(rest, connection, lingerMs, closing) };
  } catch (error) {
    await connection.destroy();
    throw faultOfRun(error, limit, timeoutMs, sent.at !== null, target);
  } finally {
    limit.clear();
  }
}

/** Reads on for a while: a gateway that sees us leave before its end mark calls the run aborted. */
async function release(
  rest: () => Promise<void>,
  connection: { destroy(): Promise<void> },
  lingerMs: number,
  closing: AbortSignal,
): Promise<void> {
  const limit = startLimit(lingerMs, [closing]);
  const over = new Promise<void>((resolve) => {
    if (limit.signal.aborted) resolve();
    limit.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([rest(), over]);
  limit.clear();
  await connection.destroy();
}

async function readReply(
  answer: Dispatcher.ResponseData,
  sentAt: number | null,
  target: Target,
  onSign?: () => void,
): Promise<ReadReply> {
  const { statusCode: status } = answer;
  if (![200, 201, 202, 203].includes(status)) {
    const afterMs = performance.now() - (sentAt ?? performance.now());
    const text = await readHead(answer, MAX_REFUSAL_BYTES);
    throw faultOfRefusal(
      { status, retryAfter: headerOf(answer.headers, 'retry-after'), text, afterMs },
      target,
    );
  }
  const type = headerOf(answer.headers, 'content-type').toLowerCase();
  const body = decoded(answer.body, headerOf(answer.headers, 'content-encoding'));
  const { head, chunks } = await peek(boundedChunks(body, MAX_STREAM_BYTES, onSign), MIN_HEAD_BYTES);
  const form = formOf(type, head);
  if (form === 'stream') return readStream(chunks, target, MAX_ANSWER_BYTES);
  if (form === 'other') throw notAResponse(theirWords(type, target), target);
  const text = await textOf(chunks);
  const json = parseJson(text);
  if (json === undefined && form === 'jsonOrStream')
    return readStream(streamOf(text), target, MAX_ANSWER_BYTES);
  if (json === undefined) throw new Fault('runFailed', "The gateway's answer is not valid JSON.");
  if (!isResponse(json)) throw notAResponse('JSON that is not a response', target);
  const reply = replyOf(json, null, NOTHING_STREAMED, target);
  return { reply, rest: () => Promise.resolve(), leftOut: { count: 0, example: '' } };
}

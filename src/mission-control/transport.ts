import type { Dispatcher } from 'undici';
import * as v from 'valibot';
import { HANGS_AFTER_MS, type PulseEvent } from '../../machines/pulse/machine.ts';
import { Fault } from '../../machines/shared/fault.ts';
import { openPool, proxyRefusal } from '../connect.ts';
import { headerOf, parseJson, retryAfterMs, wayTo } from '../http.ts';
import { startLimit, type Limit } from '../limit.ts';
import type { Traceparent } from '../traces/traces.ts';

/** ConvexHttpClient's code for "the function failed". */
const FUNCTION_FAILED = 560;

/** Convex's own limit for a result is 16 MiB; JSON escapes may double it. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Polling, heartbeats, agent sync and status must not wait behind busy sessions. */
const SPARE_CONNECTIONS = 4;
/** A call takes a moment and a run takes minutes, so more connections would only cost memory (docs/adr/0013). */
const MAX_CONNECTIONS = 100;

export interface Transport {
  /**
   * A `fetch` for one call, to be given to ConvexHttpClient. It gives back answers of Convex functions only;
   * everything else rejects with a Fault: backendUnavailable, backendRefused, backendRejected, aborted.
   */
  fetchFor(name: string, signal?: AbortSignal): typeof globalThis.fetch;
  /** Closes all connections; calls under way fail. */
  close(): Promise<void>;
}

export interface TransportOptions {
  /** The deployment: http or https, without credentials. */
  url: string;
  /** The proxy on the way to it; none when absent or null. */
  proxy?: string | null;
  /** Limit of one call, with its body and the wait for a free connection, in milliseconds; 30,000 when absent. */
  timeoutMs?: number;
  /** How many runs may be open at once. So many calls go out without a queue, up to a hundred. */
  maxConcurrent: number;
  /** Told of calls that hang. */
  onHanging?: (event: PulseEvent) => void;
  /** The trace that a call belongs to. */
  traceparent?: Traceparent;
}

export function createTransport({
  url,
  proxy = null,
  timeoutMs = 30_000,
  maxConcurrent,
  onHanging = () => undefined,
  traceparent = () => undefined,
}: TransportOptions): Transport {
  const { origin } = new URL(url);
  const dispatcher = openPool(
    { origin, proxy },
    {
      connections: Math.min(maxConcurrent, MAX_CONNECTIONS) + SPARE_CONNECTIONS,
      maxResponseSize: MAX_ANSWER_BYTES,
    },
  );

  const fetchFor =
    (name: string, signal?: AbortSignal): ConvexFetch =>
    async (url, init) => {
      const limit = startLimit(timeoutMs, [signal]);
      const ended = tellIfItHangs(name, onHanging);
      const trace = traceparent();
      const headers = trace === undefined ? init.headers : { ...init.headers, traceparent: trace };
      try {
        return functionAnswer(await exchange(dispatcher, url, { ...init, headers }, limit), name, origin);
      } catch (error) {
        if (error instanceof Fault) throw error;
        throw networkFault(error, { name, place: wayTo({ origin, proxy }), timeoutMs, limit });
      } finally {
        limit.clear();
        ended();
      }
    };
  return {
    // ConvexHttpClient's option asks for the browser's function; it uses what is in ConvexFetch.
    fetchFor: (name, signal) => fetchFor(name, signal) as unknown as typeof globalThis.fetch,
    close: () => dispatcher.destroy(),
  };
}

/**
 * Tells machines/pulse when one call hangs, and when it is over then.
 * @returns what must be called when the call has ended
 */
export function tellIfItHangs(name: string, tell: (event: PulseEvent) => void): () => void {
  let hangs = false;
  const timer = setTimeout(() => {
    hangs = true;
    tell({ type: 'call.hangs', name });
  }, HANGS_AFTER_MS);
  return () => {
    clearTimeout(timer);
    if (hangs) tell({ type: 'call.ended' });
  };
}

/** As much of fetch as ConvexHttpClient uses. */
type ConvexFetch = (url: string, init: CallInit) => Promise<FunctionAnswer>;

interface CallInit {
  headers: Record<string, string>;
  body: string;
}

interface FunctionAnswer {
  ok: boolean;
  status: number;
  json(): Promise<unknown>;
}

interface Answer {
  status: number;
  contentType: string;
  retryAfter: string;
  /** undefined when the body is not JSON. */
  json: unknown;
}

/**
 * Uses undici's `request`, because `fetch` does several times the work. A redirect is not followed, because it would
 * carry the token away.
 */
async function exchange(
  dispatcher: Dispatcher,
  url: string,
  { headers, body }: CallInit,
  { signal }: Limit,
): Promise<Answer> {
  // The limit may be over before anything was sent.
  signal.throwIfAborted();
  const { origin, pathname, search } = new URL(url);
  const path = pathname + search;
  const answer = await dispatcher.request({ origin, path, method: 'POST', headers, body, signal });
  const text = await answer.body.text();
  return {
    status: answer.statusCode,
    contentType: headerOf(answer.headers, 'content-type') || 'no content type',
    retryAfter: headerOf(answer.headers, 'retry-after'),
    json: parseJson(text),
  };
}

/** What a Convex function answers, whether it succeeded or failed. */
const functionResult = v.variant('status', [
  v.object({ status: v.literal('success'), value: v.unknown() }),
  v.object({ status: v.literal('error'), errorMessage: v.string() }),
]);

/** What Convex itself answers when it does not run the function. */
const systemAnswer = v.object({ code: v.string(), message: v.string() });

/** @throws Fault for what is no answer of a function */
function functionAnswer(answer: Answer, name: string, origin: string): FunctionAnswer {
  const { status, json } = answer;
  const ok = status >= 200 && status < 300;
  if (ok || status === FUNCTION_FAILED) {
    if (!v.is(functionResult, json)) throw notConvex(answer, name, origin);
    return { ok, status, json: () => Promise.resolve(json) };
  }
  const system = v.safeParse(systemAnswer, json);
  const came = system.success ? `HTTP ${status}, ${system.output.code.slice(0, 64)}` : `HTTP ${status}`;
  if (status === 401 || status === 403) {
    throw new Fault(
      'backendRefused',
      `CONVEX_URL (${origin}) refuses ${name} (${came}): check SERVICE_TOKEN.`,
    );
  }
  if (status === 408 || status === 429 || status >= 500) {
    const doubt = system.success ? '' : ' Is CONVEX_URL the address of the deployment?';
    const message = `CONVEX_URL (${origin}) cannot take ${name} now (${came}).${doubt}`;
    throw new Fault('backendUnavailable', message, {
      retryAfterMs: retryAfterMs(answer.retryAfter, Date.now()),
    });
  }
  if (system.success && (status === 400 || status === 413)) {
    throw new Fault('backendRejected', `Convex does not accept the call of ${name} (${came}).`);
  }
  throw notConvex(answer, name, origin);
}

function notConvex({ status, contentType }: Answer, name: string, origin: string): Fault {
  return new Fault(
    'backendUnavailable',
    `CONVEX_URL (${origin}) does not answer like Convex: HTTP ${status} with ${contentType.slice(0, 64)} for ` +
      `${name}. Check that it is the address of the deployment.`,
  );
}

function networkFault(
  cause: unknown,
  { name, place, timeoutMs, limit }: { name: string; place: string; timeoutMs: number; limit: Limit },
): Fault {
  if (limit.signal.aborted && !limit.expired()) {
    return new Fault('aborted', `${name} was given up before Convex answered.`);
  }
  const message = limit.expired()
    ? `Convex at ${place} did not answer ${name} within ${timeoutMs / 1000} s.`
    : `Convex at ${place} cannot be reached for ${name} (${reasonOf(cause)}): check CONVEX_URL and the network.`;
  return new Fault('backendUnavailable', message, { cause });
}

/** The code may be in the chain of causes. */
function reasonOf(error: unknown): string {
  const refusal = proxyRefusal(error);
  if (refusal !== null) return refusal;
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause === undefined ? error.message.slice(0, 64) : reasonOf(error.cause);
}

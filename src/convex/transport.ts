import { Agent, fetch as undiciFetch } from 'undici';
import * as v from 'valibot';
import { Fault } from '../../machines/shared/fault.ts';

/** ConvexHttpClient's code for "the function failed". */
const FUNCTION_FAILED = 560;

/** Convex's own limit for a result is 16 MiB; JSON escapes may double it. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Polling, heartbeats, agent sync and status must not stand in line behind busy lanes. */
const SPARE_CONNECTIONS = 4;

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
  /** The deployment. */
  url: string;
  /** For the whole call, the body and the wait for a free connection included, in milliseconds. */
  timeoutMs: number;
  /** Calls at once that need no queue. */
  maxConcurrent: number;
}

export function createTransport({ url, timeoutMs, maxConcurrent }: TransportOptions): Transport {
  const { origin } = new URL(url);
  const dispatcher = new Agent({
    connections: maxConcurrent + SPARE_CONNECTIONS,
    // The signal of each call is the one limit.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: MAX_ANSWER_BYTES,
  });

  return {
    fetchFor: (name, signal) => async (input, init) => {
      const deadline = AbortSignal.timeout(timeoutMs);
      try {
        const answer = await exchange(new Request(input, init), dispatcher, anyOf(deadline, signal));
        assertFunctionAnswer(answer, name, origin);
        return new Response(answer.text, { status: answer.status });
      } catch (error) {
        if (error instanceof Fault) throw error;
        throw networkFault(error, { name, origin, timeoutMs, deadline, signal });
      }
    },
    close: () => dispatcher.destroy(),
  };
}

const anyOf = (deadline: AbortSignal, signal?: AbortSignal): AbortSignal =>
  signal === undefined ? deadline : AbortSignal.any([deadline, signal]);

interface Answer {
  status: number;
  contentType: string;
  retryAfter: string | null;
  text: string;
}

async function exchange(request: Request, dispatcher: Agent, signal: AbortSignal): Promise<Answer> {
  const response = await undiciFetch(request.url, {
    method: request.method,
    headers: [...request.headers],
    body: await request.text(),
    // A redirect would carry the token to wherever it points.
    redirect: 'manual',
    dispatcher,
    signal,
  });
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? 'no content type',
    retryAfter: response.headers.get('retry-after'),
    text: await response.text(),
  };
}

/** What a Convex function answers, whether it succeeded or failed. */
const functionAnswer = v.pipe(
  v.string(),
  v.parseJson(),
  v.variant('status', [
    v.object({ status: v.literal('success'), value: v.unknown() }),
    v.object({ status: v.literal('error'), errorMessage: v.string() }),
  ]),
);

/** What Convex itself answers when it does not come to a function. */
const systemAnswer = v.pipe(v.string(), v.parseJson(), v.object({ code: v.string(), message: v.string() }));

function assertFunctionAnswer(answer: Answer, name: string, origin: string): void {
  const { status } = answer;
  if ((status >= 200 && status < 300) || status === FUNCTION_FAILED) {
    if (!v.is(functionAnswer, answer.text)) throw notConvex(answer, name, origin);
    return;
  }
  const system = v.safeParse(systemAnswer, answer.text);
  const came = system.success ? `HTTP ${status}, ${system.output.code.slice(0, 64)}` : `HTTP ${status}`;
  if (status === 401 || status === 403) {
    throw new Fault(
      'backendRefused',
      `CONVEX_URL (${origin}) refuses ${name} (${came}): check SERVICE_TOKEN.`,
    );
  }
  if (status === 408 || status === 429 || status >= 500) {
    throw new Fault('backendUnavailable', `Convex at ${origin} cannot take ${name} now (${came}).`, {
      retryAfterMs: retryAfterMs(answer.retryAfter),
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

/** @param header seconds or a date (RFC 9110, 10.2.3); @returns milliseconds, 0 when there is none */
function retryAfterMs(header: string | null): number {
  if (header === null) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

interface CallState {
  name: string;
  origin: string;
  timeoutMs: number;
  deadline: AbortSignal;
  signal: AbortSignal | undefined;
}

function networkFault(cause: unknown, { name, origin, timeoutMs, deadline, signal }: CallState): Fault {
  if (signal?.aborted === true) return new Fault('aborted', `${name} was given up before Convex answered.`);
  const message = deadline.aborted
    ? `Convex at ${origin} did not answer ${name} within ${timeoutMs / 1000} s.`
    : `Convex at ${origin} cannot be reached for ${name} (${reasonOf(cause)}): check CONVEX_URL and the network.`;
  return new Fault('backendUnavailable', message, { cause });
}

/** `TypeError: fetch failed` says nothing: the code is in the chain of causes. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause === undefined ? error.message.slice(0, 64) : reasonOf(error.cause);
}

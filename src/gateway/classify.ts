import { errors } from 'undici';
import { Fault } from '../../machines/shared/fault.ts';
import { gatewayErrorOf, isRunAnswer, runFault } from './answer.ts';
import { proxyRefusal } from '../connect.ts';
import { parseJson, retryAfterMs, wayTo } from '../http.ts';
import type { Limit } from '../limit.ts';
import { TooLargeError } from './body.ts';
import { theirWords } from './target.ts';
import type { Target } from './target.ts';

/** An HTTP answer that is not a reply. */
export interface Refusal {
  status: number;
  retryAfter: string;
  text: string;
  /** Milliseconds from the request to the answer. */
  afterMs: number;
}

/** What proxies say when a request that they passed on was not answered; 520 and 524 are Cloudflare's. */
const CUT_BY_A_PROXY: ReadonlySet<number> = new Set([502, 504, 520, 524]);

/**
 * The class of an HTTP answer that is not a reply (docs/architecture.md#when-something-fails). The body decides before
 * the status: `{"object":"response"}` speaks for a run, so a 401 in it is the model provider's key and not ours.
 */
export function faultOfRefusal(refusal: Refusal, target: Target): Fault {
  const { status } = refusal;
  const body = parseJson(refusal.text);
  if (isRunAnswer(body)) return runFault(body, target, retryAfterMs(refusal.retryAfter, Date.now()));
  const words = gatewayErrorOf(body);
  const said = `HTTP ${status}${words ? `, "${theirWords(words, target)}"` : ''}`;
  const place = target.origin;

  if (status < 300) return notAResponse(said, target);
  if (status < 400) return notTheGateway(place, said);
  // OpenClaw refuses a token in JSON. A page comes from a proxy, which may refuse this one request.
  if (status === 401 || (status === 403 && body !== undefined)) {
    return new Fault(
      'gatewayRefused',
      `The gateway at ${place} refuses our token (${said}): check OPENCLAW_GATEWAY_TOKEN.`,
    );
  }
  if (status < 500 && words && /^unknown agent/i.test(words)) return unknownAgent(said);
  if (status === 404 || status === 405) return noEndpoint(place, said);
  if (status === 413) return rejected(said);
  if (status === 500) return new Fault('runFailed', `The gateway failed on the run (${said}).`);
  if (CUT_BY_A_PROXY.has(status)) return cutByProxy(refusal, said);
  if (status === 408 || status === 429 || status > 500) return unavailable(refusal, said, place);
  return body === undefined ? notAResponse(said, target) : rejected(said);
}

const misconfigured = (message: string): Fault => new Fault('gatewayMisconfigured', message);

const notTheGateway = (place: string, said: string): Fault =>
  misconfigured(`${place} does not answer like an OpenClaw gateway (${said}): check OPENCLAW_GATEWAY_URL.`);

const noEndpoint = (place: string, said: string): Fault =>
  misconfigured(
    `${place} has no /v1/responses (${said}): gateway.http.endpoints.responses.enabled may be off in the gateway's config, or OPENCLAW_GATEWAY_URL points elsewhere.`,
  );

/** Something else answered for this run, perhaps for it alone: if the address is wrong, the next probe says so. */
export const notAResponse = (what: string, { origin }: Target): Fault =>
  new Fault(
    'runCut',
    `${origin} answered the run with ${what}, not as OpenClaw does: check what is before the gateway, and OPENCLAW_GATEWAY_URL.`,
  );

const unknownAgent = (said: string): Fault =>
  new Fault(
    'agentUnknown',
    `The gateway does not know this agent (${said}): add it to the gateway's agents.`,
  );

const rejected = (said: string): Fault =>
  new Fault('requestRejected', `The gateway does not accept this request (${said}).`);

/**
 * The gateway's own 502 has a body that speaks for a run, so this answer comes from a proxy. The run behind the proxy
 * may go on.
 */
const cutByProxy = ({ afterMs }: Refusal, said: string): Fault =>
  new Fault(
    'runCut',
    `A proxy before the gateway ended the run after ${seconds(afterMs)} s (${said}, not from OpenClaw): raise the proxy's time limit.`,
  );

const seconds = (ms: number): string =>
  ms < 10_000 ? (ms / 1000).toFixed(1) : Math.round(ms / 1000).toFixed();

const unavailable = (refusal: Refusal, said: string, place: string): Fault =>
  new Fault('gatewayUnavailable', `The gateway at ${place} takes no runs now (${said}).`, {
    retryAfterMs: retryAfterMs(refusal.retryAfter, Date.now()),
  });

/**
 * The class of an error of the connection. Before the request was sent no run began, so the gateway is away. After
 * that a run may have begun, also where no event came: the next probe tells the gateway's end from the message's.
 * @returns null when the error is not the network's: then it is a bug of ours
 */
export function faultOfConnection(error: unknown, sent: boolean, target: Target): Fault | null {
  const code = codeOf(error);
  if (code === null) return null;
  if (code === NOT_HTTP) {
    return misconfigured(`${target.origin} does not speak HTTP: check OPENCLAW_GATEWAY_URL.`);
  }
  if (sent && proxyRefusal(error) === null) {
    return new Fault('runCut', `The answer broke off: the connection to ${wayTo(target)} failed (${code}).`);
  }
  return new Fault(
    'gatewayUnavailable',
    `The OpenClaw gateway does not answer at ${wayTo(target)} (${code}): start it, or correct OPENCLAW_GATEWAY_URL.`,
  );
}

/**
 * What made a run throw, as a fault. An error that is nobody else's is a bug of ours, and stays as it is.
 * @param sent whether the request went out
 */
export function faultOfRun(
  error: unknown,
  limit: Limit,
  timeoutMs: number,
  sent: boolean,
  target: Target,
): unknown {
  if (error instanceof Fault) return error;
  if (error instanceof TooLargeError) {
    return new Fault('runFailed', `The answer was given up: ${error.message}.`);
  }
  if (limit.expired()) return new Fault('runTimedOut', `The run did not end within ${timeoutMs} ms.`);
  if (limit.signal.aborted) return new Fault('aborted', 'The run was given up.');
  return faultOfConnection(error, sent, target) ?? error;
}

const NOT_HTTP = 'not HTTP';

function codeOf(error: unknown): string | null {
  const refusal = proxyRefusal(error);
  if (refusal !== null) return refusal;
  // The parser's error has no code. If nothing is left unparsed, the answer broke off.
  if (error instanceof errors.HTTPParserError) return 'data' in error && error.data === '' ? 'EOF' : NOT_HTTP;
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

import { errors } from 'undici';
import { Fault } from '../../machines/shared/fault.ts';
import { gatewayErrorOf, isRunAnswer, runFault } from './answer.ts';
import { parseJson } from './exchange.ts';
import { placeOf, theirWords } from './target.ts';
import type { Target } from './target.ts';

/** An HTTP answer that is not a reply. */
export interface Refusal {
  status: number;
  retryAfter: string;
  text: string;
}

/**
 * The class of an HTTP answer that is not a reply (docs/architecture.md, Errors). The body decides before the status:
 * `{"object":"response"}` speaks for a run, so a 401 in it is the model provider's key and not ours.
 */
export function faultOfRefusal(refusal: Refusal, target: Target): Fault {
  const body = parseJson(refusal.text);
  if (isRunAnswer(body)) return runFault(body, target);
  const { status } = refusal;
  const words = gatewayErrorOf(body);
  const said = `HTTP ${status}${words ? `, "${theirWords(words, target)}"` : ''}`;
  const place = placeOf(target);

  if (status < 400) return notTheGateway(place, said);
  if (status === 401 || status === 403) {
    return new Fault(
      'gatewayRefused',
      `The gateway at ${place} refuses our token (${said}): check OPENCLAW_GATEWAY_TOKEN.`,
    );
  }
  if (status < 500 && words && /^unknown agent/i.test(words)) return unknownAgent(said);
  if (status === 404 || status === 405) return noEndpoint(place, said);
  if (status === 413) return rejected(said);
  if (status === 500) return new Fault('runFailed', `The gateway failed on the run (${said}).`);
  if (status === 408 || status === 429 || status > 500) return unavailable(refusal, said, place);
  return body === undefined ? notTheGateway(place, said) : rejected(said);
}

const misconfigured = (message: string): Fault => new Fault('gatewayMisconfigured', message);

const notTheGateway = (place: string, said: string): Fault =>
  misconfigured(`${place} does not answer like an OpenClaw gateway (${said}): check OPENCLAW_GATEWAY_URL.`);

const noEndpoint = (place: string, said: string): Fault =>
  misconfigured(
    `${place} has no /v1/responses (${said}): gateway.http.endpoints.responses.enabled may be off in the gateway's config, or OPENCLAW_GATEWAY_URL points elsewhere.`,
  );

const unknownAgent = (said: string): Fault =>
  new Fault(
    'agentUnknown',
    `The gateway does not know this agent (${said}): add it to the gateway's agents.`,
  );

const rejected = (said: string): Fault =>
  new Fault('requestRejected', `The gateway does not accept this request (${said}).`);

/** 502 and 504 are here as well: the gateway's own speak for a run, so a bare one comes from a proxy before it. */
const unavailable = (refusal: Refusal, said: string, place: string): Fault =>
  new Fault('gatewayUnavailable', `The gateway at ${place} takes no runs now (${said}).`, {
    retryAfterMs: retryAfterMs(refusal.retryAfter, Date.now()),
  });

/**
 * The wait that a `Retry-After` header asks for (RFC 9110, 10.2.3: seconds or a date), 0 when it has none to say.
 * @param now milliseconds since the epoch
 */
export function retryAfterMs(header: string, now: number): number {
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}

/**
 * The class of an error of the connection. Before the first event no run began, so it is the gateway that is
 * away. A reset after the request was sent whole is ambiguous in theory; the gateway sends its first event as soon
 * as it has accepted a request, also when the session is busy, so that silence means that it was not accepted.
 * @returns null when the error is not the network's: then it is a bug of ours
 */
export function faultOfConnection(error: unknown, begun: boolean, target: Target): Fault | null {
  const code = codeOf(error);
  if (code === null) return null;
  if (begun) return new Fault('runFailed', `The answer broke off: the connection failed (${code}).`);
  if (code === NOT_HTTP) {
    return misconfigured(`${placeOf(target)} does not speak HTTP: check OPENCLAW_GATEWAY_URL.`);
  }
  return new Fault(
    'gatewayUnavailable',
    `The OpenClaw gateway does not answer at ${placeOf(target)} (${code}): start it, or correct OPENCLAW_GATEWAY_URL.`,
  );
}

const NOT_HTTP = 'not HTTP';

function codeOf(error: unknown): string | null {
  // It has no code of its own; without the rest that could not be parsed it is an answer that broke off.
  if (error instanceof errors.HTTPParserError) return 'data' in error && error.data === '' ? 'EOF' : NOT_HTTP;
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

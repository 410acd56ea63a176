import * as v from 'valibot';
import { Fault } from '../../machines/shared/fault.ts';
import type { ProbeResult } from '../ports.ts';
import { openClient } from '../connect.ts';
import { headerOf, parseJson, retryAfterMs } from '../http.ts';
import { startLimit } from '../limit.ts';
import { faultOfConnection, faultOfRefusal, type Refusal } from './classify.ts';
import { readHead } from './body.ts';
import { authorization, theirWords } from './target.ts';
import type { Target } from './target.ts';

const MAX_BODY_BYTES = 2 ** 20;

const Readiness = v.looseObject({ ready: v.boolean(), failing: v.optional(v.array(v.string()), []) });
const Startup = v.looseObject({ version: v.pipe(v.string(), v.minLength(1), v.maxLength(100)) });
const GatewayError = v.looseObject({ error: v.looseObject({ type: v.string() }) });
const Models = v.looseObject({ data: v.array(v.looseObject({ id: v.string() })) });

interface Answer extends Refusal {
  type: string;
  /** undefined when the body is not JSON: the gateway answers unknown paths with 200 and its page. */
  json: unknown;
}

/** A POST has an empty object as its body: without a model and an input nothing runs. */
type Ask = (method: 'GET' | 'POST', endpoint: string) => Promise<Answer>;

/**
 * Asks the gateway how it is, without a run.
 * @param timeoutMs covers the whole probe
 * @param deep asks for the version and for `GET /v1/models` too, which checks the token and lists the agents
 * @throws Fault gatewayUnavailable, gatewayRefused, gatewayMisconfigured or aborted
 */
export async function probeGateway(
  target: Target,
  timeoutMs: number,
  deep: boolean,
  signals: (AbortSignal | undefined)[],
): Promise<ProbeResult> {
  const headers = authorization(target);
  const limit = startLimit(timeoutMs, signals);
  const connection = openClient(target, { connectTimeoutMs: timeoutMs });
  const ask: Ask = async (method, endpoint) => {
    const askedAt = performance.now();
    const answer = await connection.request({
      method,
      origin: target.origin,
      path: target.prefix + endpoint,
      headers: { ...headers, 'content-type': 'application/json' },
      body: method === 'POST' ? '{}' : null,
      signal: limit.signal,
    });
    const afterMs = performance.now() - askedAt;
    const text = await readHead(answer, MAX_BODY_BYTES);
    return {
      status: answer.statusCode,
      type: headerOf(answer.headers, 'content-type'),
      retryAfter: headerOf(answer.headers, 'retry-after'),
      afterMs,
      text,
      json: parseJson(text),
    };
  };
  try {
    const seen = await checkReady(ask, target);
    const agents = deep || !seen.isOpenClaw ? await readRoster(ask, seen, target) : null;
    return { version: deep ? await readVersion(ask) : null, agents };
  } catch (error) {
    if (error instanceof Fault) throw error;
    if (limit.expired()) {
      throw new Fault(
        'gatewayUnavailable',
        `The gateway at ${target.origin} did not answer within ${timeoutMs} ms.`,
      );
    }
    if (limit.signal.aborted) throw new Fault('aborted', 'The probe of the gateway was given up.');
    throw faultOfConnection(error, false, target) ?? error;
  } finally {
    limit.clear();
    await connection.destroy();
  }
}

/** @returns whether /readyz answers as OpenClaw's does. If it does not, the list of agents decides */
async function checkReady(ask: Ask, target: Target): Promise<Seen> {
  const answer = await ask('GET', 'readyz');
  const readiness = v.safeParse(Readiness, answer.json);
  if (readiness.success && !readiness.output.ready) {
    const failing = readiness.output.failing.join(', ') || 'it does not say why';
    throw unavailable(answer, target, `is not ready: ${theirWords(failing, target)}`);
  }
  checkAnswers(answer, '/readyz', target);
  if (answer.status >= 300 && answer.status < 400) throw faultOfRefusal(answer, target);
  const type = answer.type.split(';')[0] || 'no content type';
  return { isOpenClaw: readiness.success, what: `HTTP ${answer.status} with ${type} for /readyz` };
}

/** What /readyz answered. */
interface Seen {
  isOpenClaw: boolean;
  /** In words, for a message. */
  what: string;
}

function checkAnswers(answer: Answer, path: string, target: Target): void {
  if (answer.status < 500 && answer.status !== 429) return;
  throw unavailable(answer, target, `answers ${path} with HTTP ${answer.status}`);
}

const unavailable = (answer: Answer, target: Target, what: string): Fault =>
  new Fault('gatewayUnavailable', `The gateway at ${target.origin} ${what}.`, {
    retryAfterMs: retryAfterMs(answer.retryAfter, Date.now()),
  });

async function readVersion(ask: Ask): Promise<string | null> {
  const startup = v.safeParse(Startup, (await ask('GET', 'startupz')).json);
  return startup.success ? startup.output.version : null;
}

/** @returns null from a gateway that serves runs and no list of its agents */
async function readRoster(ask: Ask, seen: Seen, target: Target): Promise<string[] | null> {
  const answer = await ask('GET', 'v1/models');
  const models = v.safeParse(Models, answer.json);
  const slugs = models.success ? models.output.data.flatMap(({ id }) => slugsIn(id)) : [];
  if (answer.status === 200 && slugs.length > 0) return slugs.filter((slug) => slug !== 'default');
  checkAnswers(answer, '/v1/models', target);
  if (isOurError(answer)) throw faultOfRefusal(answer, target);
  if (!seen.isOpenClaw) throw notOpenClaw(answer, seen, target);
  if (answer.status === 401 || answer.status === 403) throw faultOfRefusal(answer, target);
  // OpenClaw serves the list whenever it serves runs. Without the list, a request that no gateway runs tells
  // whether the endpoint is there.
  const run = await ask('POST', 'v1/responses');
  if (run.status === 404 || run.status === 405) throw faultOfRefusal(run, target);
  // A server that says the same whatever it is asked.
  if (v.is(Readiness, run.json)) throw notOpenClaw(answer, seen, target);
  return null;
}

/** `openclaw/<slug>` names an agent; `openclaw` alone is the default one. */
function slugsIn(id: string): string[] {
  const found = /^openclaw(?:\/(.*))?$/.exec(id);
  return found ? [found[1] || 'default'] : [];
}

/** A refusal in the form of OpenClaw's own errors. */
const isOurError = ({ status, json }: Answer): boolean =>
  (status === 401 || status === 403) && v.is(GatewayError, json);

const notOpenClaw = (answer: Answer, { what }: Seen, target: Target): Fault =>
  new Fault(
    'gatewayMisconfigured',
    `${target.origin} does not answer like an OpenClaw gateway (${what}, HTTP ${answer.status} for /v1/models): check OPENCLAW_GATEWAY_URL.`,
  );

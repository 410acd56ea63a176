import { openClient, type Route } from '../connect.ts';
import { startLimit } from '../limit.ts';

/**
 * With the limit below, one that refuses connections shows on /health within 5 s, and one that takes them and does not
 * answer within 10 s.
 */
const LOOK_EVERY_MS = 2_500;
const LIMIT_MS = 2_000;
/** So many times as often while it is away. */
const EAGERNESS = 5;

export interface PulseOptions {
  /** The deployment. */
  url: string;
  /** The proxy on the way to it; none when absent or null. */
  proxy?: string | null;
  /** Told of each change: it answers again (true), or no more (false). It is taken to answer at the start. */
  tell: (answers: boolean) => void;
  /** Given one sentence when two looks in a row had no answer in time, and null when there is one again. */
  onSilence: (problem: string | null) => void;
  /** Milliseconds between two looks while it answers, and that an answer may take. */
  everyMs?: number;
  limitMs?: number;
}

/** What a look found. */
type Look = 'answered' | 'failed' | 'silent';

/**
 * Looks whether Convex answers HTTP at all, between the calls of an idle runtime. `GET /version` runs no function, so
 * that it costs no call; every answer below 500 is a sign of life, also that of a deployment without this path.
 * @returns ends it
 */
export function watchPulse({
  url,
  proxy = null,
  tell,
  onSilence,
  everyMs = LOOK_EVERY_MS,
  limitMs = LIMIT_MS,
}: PulseOptions): () => void {
  const route: Route = { origin: new URL(url).origin, proxy };
  const stopping = new AbortController();
  let last: Look = 'answered';
  let isSilent = false;
  let timer: NodeJS.Timeout;
  const look = async (): Promise<void> => {
    const found = await lookOnce(route, limitMs, stopping.signal);
    if (stopping.signal.aborted) return;
    const wasSilent = isSilent;
    // One slow answer is no silence.
    isSilent = found === 'silent' && last === 'silent';
    if (isSilent !== wasSilent) onSilence(isSilent ? silence(route.origin, limitMs) : null);
    if ((found === 'answered') !== (last === 'answered')) tell(found === 'answered');
    last = found;
    wait();
  };
  const wait = (): void => {
    // Who waits for it wants to know at once: the first report goes out within a second of being able to.
    timer = setTimeout(() => void look(), last === 'answered' ? everyMs : everyMs / EAGERNESS).unref();
  };
  wait();
  return () => {
    clearTimeout(timer);
    stopping.abort();
  };
}

const silence = (origin: string, limitMs: number): string =>
  `Convex at ${origin} takes connections and does not answer (twice no answer within ${limitMs / 1_000} s): check CONVEX_URL and the deployment.`;

async function lookOnce(route: Route, limitMs: number, stopping: AbortSignal): Promise<Look> {
  const client = openClient(route, {});
  const limit = startLimit(limitMs, [stopping]);
  try {
    const { statusCode, body } = await client.request({
      origin: route.origin,
      path: '/version',
      method: 'GET',
      signal: limit.signal,
    });
    await body.dump();
    return statusCode < 500 ? 'answered' : 'failed';
  } catch {
    return limit.expired() ? 'silent' : 'failed';
  } finally {
    limit.clear();
    void client.destroy();
  }
}

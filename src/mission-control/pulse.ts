import { openClient, type Route } from '../connect.ts';
import { startLimit } from '../limit.ts';

/** With the limit below it stays under the 5 s in which /health tells that Convex is away. */
const LOOK_EVERY_MS = 2_500;
const LIMIT_MS = 2_000;
/** So many times as often while it is away. */
const EAGERNESS = 5;

export interface PulseOptions {
  /** The deployment. */
  url: string;
  /** The proxy on the way to it; none when absent or null. */
  proxy?: string | null;
  /** Whether anybody wants to know at this moment; while nobody does, nothing is sent. */
  isNeeded: () => boolean;
  /** Told of each change: it answers again (true), or no more (false). It is taken to answer at the start. */
  tell: (answers: boolean) => void;
  /** Milliseconds between two looks while it answers. */
  everyMs?: number;
}

/**
 * Looks whether Convex answers HTTP at all, between the calls of an idle runtime. `GET /version` runs no function, so
 * that it costs no call; every answer below 500 is a sign of life, also that of a deployment without this path.
 * @returns ends it
 */
export function watchPulse({
  url,
  proxy = null,
  isNeeded,
  tell,
  everyMs = LOOK_EVERY_MS,
}: PulseOptions): () => void {
  const route: Route = { origin: new URL(url).origin, proxy };
  const stopping = new AbortController();
  let answers = true;
  let timer: NodeJS.Timeout;
  const look = async (): Promise<void> => {
    const now = !isNeeded() || (await isAnswered(route, stopping.signal));
    if (stopping.signal.aborted) return;
    if (now !== answers) {
      answers = now;
      tell(now);
    }
    wait();
  };
  const wait = (): void => {
    // Who waits for it wants to know at once: the first report goes out within a second of being able to.
    timer = setTimeout(() => void look(), answers ? everyMs : everyMs / EAGERNESS).unref();
  };
  wait();
  return () => {
    clearTimeout(timer);
    stopping.abort();
  };
}

async function isAnswered(route: Route, stopping: AbortSignal): Promise<boolean> {
  const client = openClient(route, {});
  const limit = startLimit(LIMIT_MS, [stopping]);
  try {
    const { statusCode, body } = await client.request({
      origin: route.origin,
      path: '/version',
      method: 'GET',
      signal: limit.signal,
    });
    await body.dump();
    return statusCode < 500;
  } catch {
    return false;
  } finally {
    limit.clear();
    void client.destroy();
  }
}

/** The stream of the running process. After a break it goes on where it stopped. */
import { followStream, type Follower } from '../follow.ts';

export interface LiveOptions extends Pick<Follower, 'onHello' | 'onEntries'> {
  /** The key that commands need; null while there is no connection. */
  onKey: (key: string | null) => void;
  onLink: (isUp: boolean) => void;
}

/** Milliseconds before the next try; the runtime is on this machine. */
const RETRY_MS = 500;

/** For as long as the page is open. */
export async function watchLive({ onLink, ...options }: LiveOptions): Promise<never> {
  const stream = followStream('/events', { ...options, onOpen: () => onLink(true) });
  const { signal } = new AbortController();
  for (;;) {
    // The connection broke. The next try follows.
    await stream.read(signal).catch(() => undefined);
    options.onKey(null);
    onLink(false);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

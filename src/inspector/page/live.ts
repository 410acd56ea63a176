/** The stream of the running process, taken up again where it broke off. */
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
    // A connection that breaks is what the next try is for.
    await stream.read(signal).catch(() => undefined);
    options.onKey(null);
    onLink(false);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

import type { Message } from './hub.ts';
import { startSession, type Session, type SessionOptions } from './session.ts';

/**
 * How long it goes on listening after the last viewer has left, so that a viewer who reloads or reconnects misses
 * nothing.
 */
const LINGER_MS = 30_000;

/** Listens to the machines while somebody watches, and costs nothing while nobody does. */
export interface Watch {
  /** Called when a viewer comes; see {@link Session.greet}. */
  greet(lastId: string | null): Message;
  /** The last viewer has left. */
  linger(): void;
  isListening(): boolean;
  leave(exitCode: number, reason: string): void;
  end(): void;
}

/** @param lingerMs LINGER_MS in all but tests */
export function createWatch(options: SessionOptions, lingerMs: number = LINGER_MS): Watch {
  let session: Session | null = null;
  let lingering: NodeJS.Timeout | undefined;

  function end(): void {
    clearTimeout(lingering);
    session?.end();
    session = null;
  }

  return {
    greet(lastId) {
      clearTimeout(lingering);
      session ??= startSession(options);
      return session.greet(lastId);
    },
    linger() {
      clearTimeout(lingering);
      lingering = setTimeout(end, lingerMs);
      lingering.unref();
    },
    isListening: () => session !== null,
    leave: (exitCode, reason) => session?.leave(exitCode, reason),
    end,
  };
}

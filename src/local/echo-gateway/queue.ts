/** Does the work when the session's earlier work is done; settles as the work does. */
export type SessionQueue = (sessionKey: string, work: () => Promise<void>) => Promise<void>;

/** OpenClaw queues a session's second request and does not refuse it. */
export function createSessionQueue(): SessionQueue {
  const tails = new Map<string, Promise<void>>();
  return async (sessionKey, work) => {
    const turn = (tails.get(sessionKey) ?? Promise.resolve()).then(work);
    // The caller hears of a failure. The next in line only waits for the end.
    const tail = turn.catch(() => undefined);
    tails.set(sessionKey, tail);
    try {
      await turn;
    } finally {
      if (tails.get(sessionKey) === tail) tails.delete(sessionKey);
    }
  };
}

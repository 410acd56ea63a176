/**
 * One request per session at a time, for the whole process: the request of an actor that starts
 * again waits here until the socket of its predecessor is gone. Delivery starts one actor for each session; this holds
 * over a restart of delivery.
 */
export interface SessionLock {
  run<T>(session: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

export function createSessionLock(): SessionLock {
  const tails = new Map<string, Promise<unknown>>();
  return {
    async run(session, signal, work) {
      const before = tails.get(session);
      const mine = (async () => {
        await before;
        signal.throwIfAborted();
        return work();
      })();
      const tail = mine.catch(() => undefined);
      tails.set(session, tail);
      try {
        return await mine;
      } finally {
        if (tails.get(session) === tail) tails.delete(session);
      }
    },
  };
}

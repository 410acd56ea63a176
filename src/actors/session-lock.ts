/**
 * One request per session at a time, for the whole process: a lane that is started anew waits here until the socket
 * of its predecessor is gone. (Lanes are serial by themselves; this holds over their restarts.)
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

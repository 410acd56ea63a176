export interface Lock {
  /** Together with others that share it. */
  shared<T>(work: () => Promise<T>): Promise<T>;
  /** Alone. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
}

interface Waiter {
  alone: boolean;
  start: () => void;
}

/** Readers together, one writer alone, in the order of their coming. */
export function createLock(): Lock {
  const waiting: Waiter[] = [];
  let readers = 0;
  let isWriting = false;

  function admit(): void {
    for (let next = waiting[0]; next && !isWriting && !(next.alone && readers > 0); next = waiting[0]) {
      waiting.shift();
      if (next.alone) isWriting = true;
      else readers += 1;
      next.start();
    }
  }

  async function hold<T>(alone: boolean, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((start) => {
      waiting.push({ alone, start });
      admit();
    });
    try {
      return await work();
    } finally {
      if (alone) isWriting = false;
      else readers -= 1;
      admit();
    }
  }

  return { shared: (work) => hold(false, work), exclusive: (work) => hold(true, work) };
}

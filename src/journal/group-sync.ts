/**
 * One sync at a time, for all who asked before it began (group commit): who asks while one is under way may have
 * written after it began, and shares the next one.
 *
 * @param sync puts on the disk what was written before it was called
 * @returns settles when what the caller has written is on the disk; rejects as the sync does
 */
export function createGroupSync(sync: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  function begin(): Promise<void> {
    next = null;
    const mine = sync().finally(() => {
      if (running === mine) running = null;
    });
    running = mine;
    return mine;
  }

  return () => {
    if (running === null) return begin();
    next ??= running.then(begin, begin);
    return next;
  };
}

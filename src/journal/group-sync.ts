/**
 * One sync at a time, for all who ask before it begins (group commit). A caller who asks during a
 * sync may have written after it began, and waits for the next one.
 *
 * @param sync puts on the disk what was written before it was called
 * @returns settles when what the caller has written is on the disk; rejects as the sync does
 */
export function createGroupSync(sync: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;

  const begin = (): Promise<void> => {
    next = null;
    last = sync();
    return last;
  };

  return () => {
    next ??= last.then(begin, begin);
    return next;
  };
}

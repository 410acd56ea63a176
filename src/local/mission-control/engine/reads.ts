import { isBefore } from './keys.ts';
import type { Range, Touch } from './tables.ts';

/** Whether a commit touched something that was read: only then can the reader see a difference. */
export const touchesAny = (reads: readonly Range[], touches: readonly Touch[]): boolean =>
  touches.some(({ index, key }) =>
    reads.some((range) => range.index === index && !isBefore(key, range.from) && isBefore(key, range.to)),
  );

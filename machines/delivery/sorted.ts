/** Sorted arrays: found by bisecting, changed by copying. */

/** @param holds false up to some place, and true from there on; @returns that place */
export function firstWhere<T>(sorted: readonly T[], holds: (one: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const one = sorted[middle];
    if (one !== undefined && holds(one)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** With one more, after those of the same time. */
export function withOne<T>(sorted: readonly T[], one: T, timeOf: (one: T) => number): readonly T[] {
  const time = timeOf(one);
  const at = firstWhere(sorted, (other) => timeOf(other) > time);
  return sorted.toSpliced(at, 0, one);
}

export function without<T>(sorted: readonly T[], one: T, timeOf: (one: T) => number): readonly T[] {
  const time = timeOf(one);
  const from = firstWhere(sorted, (other) => timeOf(other) >= time);
  return sorted.toSpliced(sorted.indexOf(one, from), 1);
}

/**
 * What many answers repeat, once: the account's agents and documents come with every delivery context, and each open
 * run would keep a copy.
 * @returns the value before, where it is the same
 */
export function sharedWithLast<T>(isSame: (one: T, other: T) => boolean): (value: T) => T {
  let last: T | undefined;
  return (value) => {
    if (last === undefined || !isSame(value, last)) last = value;
    return last;
  };
}

import type { StateValue } from 'xstate';

/**
 * A state value as dotted paths to its leaves, one per parallel region:
 * `{ gate: 'open', poll: 'waiting' }` gives `gate.open` and `poll.waiting`.
 */
export function statePaths(value: StateValue): string[] {
  if (typeof value === 'string') return [value];
  return Object.entries(value).flatMap(([key, inner]) => {
    const below = inner === undefined ? [] : statePaths(inner);
    return below.length === 0 ? [key] : below.map((path) => `${key}.${path}`);
  });
}

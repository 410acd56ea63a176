import { Invalid, OutOfRange } from './errors.ts';
import type { Rule } from './rule.ts';

/** The longest time a timer can wait, in milliseconds: Node fires a longer one after 1 ms. */
export const LONGEST_TIMER_MS = 2_147_483_647;

const UNITS = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/**
 * @param text digits and a unit (`ms`, `s`, `m`, `h`); milliseconds when the unit is missing
 * @returns milliseconds
 * @throws Invalid when it is anything else
 */
export function parseDuration(text: string): number {
  const match = /^(?<digits>\d+)(?<unit>ms|s|m|h)?$/.exec(text);
  if (!match?.groups) throw new Invalid('not a duration');
  const unit = Object.entries(UNITS).find(([name]) => name === match.groups?.unit)?.[1] ?? 1;
  return Number(match.groups.digits) * unit;
}

/** Milliseconds in the largest unit that fits without a rest: `90000` is `90s`. */
export function formatDuration(ms: number): string {
  for (const [unit, size] of Object.entries(UNITS)) {
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

/** A duration within bounds, both in milliseconds and both allowed. */
export function duration(minMs: number, maxMs: number = LONGEST_TIMER_MS): Rule<number> {
  return {
    text: `a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)} (milliseconds without a unit)`,
    parse: (text) => {
      const ms = parseDuration(text);
      if (ms < minMs) throw new OutOfRange('too short', formatDuration(minMs));
      if (ms > maxMs) throw new OutOfRange('too long', formatDuration(maxMs));
      return ms;
    },
    show: formatDuration,
  };
}

/** How the machines were over the last minutes: the lines of the timeline. */
import { calm, type Tone } from './tone.ts';

/** How far back a line goes, in milliseconds. */
export const TIMELINE_MS = 15 * 60_000;
/** A machine that is now well and now not, all the time, has no longer line than this. */
const MOST_SEGMENTS = 300;

/** The key under which the overall status is kept. */
export const OVERALL = '';

/** How an actor was from then until the next segment; `tone` is null while it was not there. */
export interface Segment {
  from: number;
  tone: Tone | null;
  states: readonly string[];
}

/** By the path of the actor. */
export type Lines = Map<string, Segment[]>;

/** Only what looks different begins a new segment. */
export function extend(lines: Lines, path: string, { from, tone, states }: Segment): void {
  const line = lines.get(path) ?? [];
  lines.set(path, line);
  const looks = tone === null ? null : calm(tone);
  const last = line.at(-1);
  const isSame = last?.tone === looks && (looks === null || looks === 'ready');
  if (isSame || (last?.tone === looks && last.states.join() === states.join())) return;
  line.push({ from, tone: looks, states });
  while ((line[1]?.from ?? Infinity) < from - TIMELINE_MS || line.length > MOST_SEGMENTS) line.shift();
}

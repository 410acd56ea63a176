/** Trouble on command, for tests: `POST /__faults` makes the next calls of a function fail. */
import * as v from 'valibot';
import { HttpProblem } from './problem.ts';

const rule = v.strictObject({
  /** Which function; every one when absent. */
  path: v.optional(v.string()),
  /**
   * error: the function fails; 500, 503 and 429: the deployment does; hang: no answer, the work is not done;
   * lost: the work is done and the connection breaks; ok: no trouble (with delayMs: late), and earlier rules end.
   */
  mode: v.picklist(['error', '500', '503', '429', 'hang', 'lost', 'ok']),
  /** How many calls; all that follow when absent. */
  count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  /** Milliseconds that the call waits first. */
  delayMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(600_000))),
});

export type Fault = v.InferOutput<typeof rule>;

export interface Faults {
  /** Adds a rule for its path in place of the one before it. @throws HttpProblem 400 */
  set(json: unknown): void;
  /** Takes the trouble that this call is to have, and counts it. */
  take(path: string): Fault | null;
}

const EVERY = '*';

export function createFaults(): Faults {
  const rules = new Map<string, Fault>();
  return {
    set(json) {
      const parsed = v.safeParse(rule, json);
      if (!parsed.success) throw new HttpProblem(400, 'BadFault', parsed.issues[0].message);
      const { path = EVERY, mode, delayMs } = parsed.output;
      if (path === EVERY && mode === 'ok') rules.clear();
      rules.delete(path);
      if (mode !== 'ok' || delayMs !== undefined) rules.set(path, parsed.output);
    },
    take(path) {
      const key = rules.has(path) ? path : EVERY;
      const fault = rules.get(key);
      if (!fault) return null;
      if (fault.count === 1) rules.delete(key);
      else if (fault.count !== undefined) rules.set(key, { ...fault, count: fault.count - 1 });
      return fault;
    },
  };
}

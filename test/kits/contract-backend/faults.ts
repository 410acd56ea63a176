/** Trouble on command: the body of `POST /__control/faults` is a list of rules that takes the place of the last one. */
import * as v from 'valibot';
import type { Random } from '../random.ts';

export const FaultRule = v.strictObject({
  /** The function's name without `service/actions:`; every one when absent. */
  name: v.optional(v.string()),
  /**
   * error: the function fails. 500, 503, 429: the deployment does. hang: no answer, the work is not done.
   * lost: the work is done and the connection cut. slow: late by `delayMs` and otherwise well.
   */
  mode: v.picklist(['error', '500', '503', '429', 'hang', 'lost', 'slow']),
  /** Milliseconds that the call waits first. */
  delayMs: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(600_000)), 0),
  /** The share of the calls that it befalls, 0 to 1. */
  rate: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 1),
  /** For how many calls; for all that follow when absent. */
  count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
});

export type Fault = v.InferOutput<typeof FaultRule>;

export interface Faults {
  set(rules: readonly Fault[]): void;
  /** The trouble that this call is to have: of the first rule that fits and hits. */
  take(name: string): Fault | null;
}

export function createFaults(random: Random): Faults {
  let rules: { rule: Fault; left: number }[] = [];
  return {
    set(given) {
      rules = given.map((rule) => ({ rule, left: rule.count ?? Infinity }));
    },
    take(name) {
      if (rules.length === 0) return null;
      const hit = rules.find(
        ({ rule, left }) => left > 0 && (rule.name ?? name) === name && random() < rule.rate,
      );
      if (hit === undefined) return null;
      hit.left -= 1;
      return hit.rule;
    },
  };
}

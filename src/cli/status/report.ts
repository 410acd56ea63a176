/** As much of `GET /health` as the terminal shows. Whoever answers on that port is not trusted to be the runtime. */
import * as v from 'valibot';
import type { StateValue } from 'xstate';

/** This text came over the network and goes to a terminal, so nothing in it may steer the terminal. */
const Text = v.pipe(
  v.string(),
  v.transform((text) => text.replace(/\p{Cc}+/gu, ' ')),
);

const Time = v.nullable(v.pipe(v.string(), v.isoTimestamp(), v.transform(Date.parse)));

const Value: v.GenericSchema<unknown, StateValue> = v.union([
  Text,
  v.record(
    Text,
    v.lazy(() => Value),
  ),
]);

const Machine = v.object({
  id: Text,
  title: v.optional(v.nullable(Text), null),
  value: Value,
  tags: v.array(Text),
  since: Time,
  nextTimerAt: Time,
  lastSignAt: v.optional(Time, null),
  until: v.optional(Time, null),
  restarts: v.number(),
});

const Report = v.object({
  status: v.picklist(['healthy', 'degraded', 'starting', 'draining', 'failed']),
  reason: Text,
  problems: v.array(
    v.object({ source: Text, title: v.optional(Text), problem: Text, since: Time, nextTryAt: Time }),
  ),
  uptime: v.number(),
  versions: v.object({ runtime: Text, openclaw: Text }),
  delivery: v.object({
    delivered: v.number(),
    failed: v.number(),
    parked: v.number(),
    inFlight: v.number(),
    queued: v.number(),
    waiting: v.number(),
  }),
  tokens: v.optional(
    v.object({
      agents: v.array(
        v.object({
          agent: Text,
          input: v.number(),
          output: v.number(),
          limit: v.nullable(v.number()),
          rests: v.boolean(),
        }),
      ),
    }),
    { agents: [] },
  ),
  machines: v.array(Machine),
  sessions: v.object({ total: v.number(), shown: v.array(Machine), rest: v.record(Text, v.number()) }),
});

export type Machine = v.InferOutput<typeof Machine>;
export type Report = v.InferOutput<typeof Report>;

/** @returns null when this is no health report */
export function parseReport(answer: unknown): Report | null {
  const parsed = v.safeParse(Report, answer);
  return parsed.success ? parsed.output : null;
}

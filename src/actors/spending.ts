/** The ledger of tokens: what each agent used on each UTC day, in the journal for 35 days. */
import * as v from 'valibot';
import type { Spent } from '../../machines/shared/spending.ts';
import type { Usage } from '../../machines/shared/tools.ts';
import type { Store } from '../journal/store.ts';

export interface DaySpending {
  agentId: string;
  /** The agent's slug. */
  agent: string;
  /** `2026-11-29`, in UTC. */
  day: string;
  input: number;
  output: number;
}

export interface Spending {
  /** Adds what a round has used. `usage` is null when the gateway reported nothing. */
  add(agent: { _id: string; slug: string }, usage: Usage | null): Spent | null;
  /** What every agent has used today, for the decision who may run. */
  today(): Spent[];
  /** All days that are kept, the latest first; within a day the agent that used most comes first. */
  days(): DaySpending[];
}

const PREFIX = 'tokens:';
const DAY_MS = 86_400_000;

const Entry: v.GenericSchema<unknown, DaySpending> = v.object({
  agentId: v.string(),
  agent: v.string(),
  day: v.string(),
  input: v.number(),
  output: v.number(),
});

export function createSpending(store: Store, now: () => number = Date.now): Spending {
  const day = (): string => new Date(now()).toISOString().slice(0, 10);
  const dayEndsInMs = (): number => DAY_MS - (now() % DAY_MS);

  function read(key: string): DaySpending | null {
    const found = v.safeParse(Entry, store.read(key));
    return found.success ? found.output : null;
  }

  const spent = ({ agentId, agent, input, output }: DaySpending, used: number): Spent => ({
    agentId,
    agent,
    tokens: input + output,
    used,
    dayEndsInMs: dayEndsInMs(),
  });

  const kept = (prefix: string): DaySpending[] =>
    store.keys().flatMap((key) => (key.startsWith(prefix) ? (read(key) ?? []) : []));

  return {
    add({ _id: agentId, slug: agent }, usage) {
      if (usage === null) return null;
      const key = `${PREFIX}${day()}:${agentId}`;
      const { input, output } = read(key) ?? { input: 0, output: 0 };
      const { inputTokens, outputTokens } = usage;
      const next = { agentId, agent, day: day(), input: input + inputTokens, output: output + outputTokens };
      store.put(key, next);
      return spent(next, inputTokens + outputTokens);
    },
    today: () => kept(`${PREFIX}${day()}:`).map((one) => spent(one, 0)),
    days: () =>
      kept(PREFIX).sort((a, b) => b.day.localeCompare(a.day) || b.input + b.output - (a.input + a.output)),
  };
}

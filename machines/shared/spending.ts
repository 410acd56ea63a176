/** Tokens that an agent has used, and how many it may use in a day. */

/** What is known after a round of the agent. */
export interface Spent {
  agentId: string;
  /** Its slug. */
  agent: string;
  /** Of this UTC day, in and out together. */
  tokens: number;
  /** Of them, those of the round that has just ended. */
  used: number;
  /** Until the UTC day is over, in milliseconds. */
  dayEndsInMs: number;
}

export interface SpentNews {
  type: 'tokens.spent';
  spent: Spent;
}

/** AGENT_TOKENS_PER_DAY. */
export interface TokenLimits {
  /** For every agent that is not named; null for no limit. */
  all: number | null;
  bySlug: Readonly<Record<string, number>>;
}

export const NO_LIMITS: TokenLimits = { all: null, bySlug: {} };

/** The name of the problem, for `/health`: that agent rests. */
export const restSource = (agent: string): string => `tokens:${agent}`;

export const isRest = (source: string): boolean => source.startsWith('tokens:');

const WARNED_AT = 0.8;

/** null: the agent has none. */
export const limitFor = ({ all, bySlug }: TokenLimits, slug: string): number | null =>
  (Object.hasOwn(bySlug, slug) ? bySlug[slug] : undefined) ?? all;

/** The agent has used up what it may use today. */
export function isSpent(limits: TokenLimits, { agent, tokens }: Spent): boolean {
  const limit = limitFor(limits, agent);
  return limit !== null && tokens >= limit;
}

/** This round has brought it over four fifths of that. */
export function isWarned(limits: TokenLimits, { agent, tokens, used }: Spent): boolean {
  const limit = limitFor(limits, agent);
  if (limit === null || tokens >= limit) return false;
  return tokens >= WARNED_AT * limit && tokens - used < WARNED_AT * limit;
}

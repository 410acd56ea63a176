/** The rounds of a run with tools, as plain data: what the agent called, and how each call ended. */
import type { ToolAnswer } from './acting.ts';
import type { ToolCall } from './tools.ts';

/** Answers with calls in one run. The calls of the last one are made, and then follows a round without tools. */
export const MAX_ROUNDS = 16;
/** Calls in one run. Those beyond are answered with `limit` and not made. */
export const MAX_CALLS = 40;

export interface RoundCall {
  call: ToolCall;
  /** An earlier try may have had its effect. */
  begun: boolean;
  answer: ToolAnswer | null;
}

export interface Rounds {
  /** How many answers had calls. */
  count: number;
  /** The calls of the rounds before this one. */
  before: number;
  /** The calls of the latest answer, in its order. */
  calls: readonly RoundCall[];
}

export const NO_ROUNDS: Rounds = { count: 0, before: 0, calls: [] };

/** An answer with calls has come. */
export const addRound = ({ count, before, calls }: Rounds, added: readonly ToolCall[]): Rounds => ({
  count: count + 1,
  before: before + calls.length,
  calls: added.map((call) => ({ call, begun: false, answer: null })),
});

/** Whether the agent may call tools in the next round. */
export const mayCall = ({ count, before, calls }: Rounds): boolean =>
  count < MAX_ROUNDS && before + calls.length < MAX_CALLS;

export interface NextCall extends RoundCall {
  /** Its place in the round, from 0. */
  index: number;
  /** It is over the limit of the run. */
  overLimit: boolean;
}

/** The call to make now: one after another, in the agent's order. null: all of them are answered. */
export function nextCall({ before, calls }: Rounds): NextCall | null {
  const index = calls.findIndex(({ answer }) => answer === null);
  const next = calls[index];
  return next === undefined ? null : { ...next, index, overLimit: before + index >= MAX_CALLS };
}

const changeNext = (rounds: Rounds, change: Partial<RoundCall>): Rounds => {
  const next = nextCall(rounds);
  return next === null
    ? rounds
    : { ...rounds, calls: rounds.calls.map((one, at) => (at === next.index ? { ...one, ...change } : one)) };
};

/** The call to make now goes out. */
export const begunCall = (rounds: Rounds): Rounds => changeNext(rounds, { begun: true });

/** It was answered. */
export const answeredCall = (rounds: Rounds, answer: ToolAnswer): Rounds => changeNext(rounds, { answer });

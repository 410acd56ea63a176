/** The rounds of a run with tools, as plain data: what the agent called, and how each call ended. */
import type { ToolAnswer } from './acting.ts';
import type { TaskStatus } from './mission-control.ts';
import type { ToolCall } from './tools.ts';

/** Answers with calls in one run. The calls of the last one are made, and then follows a round without tools. */
const MAX_ROUNDS = 16;
/** Calls in one run. Those beyond are answered with `limit` and not made. */
const MAX_CALLS = 40;

interface RoundCall {
  call: ToolCall;
  /** The status of the run's task when the agent called; null without a task. */
  before: TaskStatus | null;
  /** An earlier try may have had its effect. */
  begun: boolean;
  answer: ToolAnswer | null;
}

export interface Rounds {
  /** How many answers had calls. */
  count: number;
  /** How the calls of the rounds before this one were answered, oldest first; '' for a long answer. */
  earlier: readonly string[];
  /** The calls of the latest answer, in its order. */
  calls: readonly RoundCall[];
}

export const NO_ROUNDS: Rounds = { count: 0, earlier: [], calls: [] };

/** Answers about changes are shorter than this. A longer answer was a read, and is not needed again. */
const MAX_KEPT_ANSWER = 2_000;

/** An answer with calls has come. @param taskStatus of the run's task, as it was read last */
export const addRound = (
  { count, earlier, calls }: Rounds,
  added: readonly ToolCall[],
  taskStatus: TaskStatus | null,
): Rounds => ({
  count: count + 1,
  earlier: [...earlier, ...calls.map(({ answer }) => keptAnswer(answer))],
  calls: added.map((call) => ({ call, before: taskStatus, begun: false, answer: null })),
});

const keptAnswer = (answer: ToolAnswer | null): string =>
  answer === null || answer.output.length > MAX_KEPT_ANSWER ? '' : answer.output;

/** How many calls the run has made or is to make. */
export const countCalls = ({ earlier, calls }: Rounds): number => earlier.length + calls.length;

/** The envelopes of all calls of the run that are answered, oldest first. */
export const answersOf = ({ earlier, calls }: Rounds): string[] => [
  ...earlier,
  ...calls.flatMap(({ answer }) => answer?.output ?? []),
];

/** Whether the agent may call tools in the next round. */
export const mayCall = (rounds: Rounds): boolean =>
  rounds.count < MAX_ROUNDS && countCalls(rounds) < MAX_CALLS;

export interface NextCall extends RoundCall {
  /** Its place in the round, from 0. */
  index: number;
  /** It is over the limit of the run. */
  overLimit: boolean;
}

/** The call to make now: one after another, in the agent's order. null: all of them are answered. */
export function nextCall({ earlier, calls }: Rounds): NextCall | null {
  const index = calls.findIndex(({ answer }) => answer === null);
  const next = calls[index];
  return next === undefined ? null : { ...next, index, overLimit: earlier.length + index >= MAX_CALLS };
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

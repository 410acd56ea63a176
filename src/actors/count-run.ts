import type { Meaning } from '../../machines/shared/silence.ts';
import { faultOf, isAttempt, type FaultKind } from '../../machines/shared/fault.ts';

/** How a run ended: the agent said something, had nothing to say, gave no answer, or the run failed. */
export type RunOutcome = 'replied' | 'silent' | 'noReply' | FaultKind;

/** Called for every run that ended, with the seconds that the gateway worked on it. A round that calls tools does not end a run. */
export type CountRun = (outcome: RunOutcome, seconds: number) => void;

const OUTCOMES = { text: 'replied', silence: 'silent', noReply: 'noReply' } as const;

export const outcomeOf = ({ kind }: Meaning): RunOutcome => OUTCOMES[kind];

/** Counts a run that failed. A run that never began, or that was cut off because the process leaves, does not count. */
export function countFailure(countRun: CountRun, error: unknown, seconds: number, signal: AbortSignal): void {
  const { kind } = faultOf(error);
  if (isAttempt(kind) && !signal.aborted) countRun(kind, seconds);
}

import type { ActingAgent, ToolAnswer } from '../../machines/shared/acting.ts';
import { answersOf, type NextCall, type Rounds } from '../../machines/shared/rounds.ts';
import { kindOf, statusBefore } from './call.ts';
import { envelopeOf } from './envelope.ts';
import type { Execute } from './execute.ts';

export interface CallPlan {
  acting: ActingAgent;
  /** The rounds of the run so far. */
  rounds: Rounds;
  /** The `createdAt` of the version that the run answers; null in a heartbeat, of which nothing outlives the process. */
  since: number | null;
  /** Mission Control was away for too long, so no call is made. */
  unreachable: boolean;
  signal: AbortSignal;
}

/**
 * Gives the answer to the next call of a run. The call is made, not made because of the limit, or given up. Rejects as
 * `Execute` does.
 */
export async function answerCall(execute: Execute, next: NextCall, plan: CallPlan): Promise<ToolAnswer> {
  const { call, begun, before, overLimit } = next;
  const { acting, rounds, since, unreachable, signal } = plan;
  if (overLimit) return envelopeOf.limit(call);
  if (unreachable) return givenUp(call, acting);
  const kept = answersOf(rounds);
  return await execute(call, acting, {
    repeat: begun,
    since,
    kept,
    before: begun ? statusBefore(call, { ...acting, taskStatus: before }, kept) : null,
    signal,
  });
}

const givenUp = (call: NextCall['call'], acting: ActingAgent): ToolAnswer =>
  kindOf(call, acting) === 'read' ? envelopeOf.unavailable(call) : envelopeOf.outcomeUnknown(call);

/** What happens between two rounds: a call is made, and the agent is told how its calls ended. */
import type { ActingAgent, ToolAnswer } from '../../machines/shared/acting.ts';
import { Fault } from '../../machines/shared/fault.ts';
import type { NextCall, Rounds } from '../../machines/shared/rounds.ts';
import { buildFollowUp } from '../gateway/prompt-tools.ts';
import { answerCall, type CallPlan } from '../tools/answer-call.ts';
import type { Execute } from '../tools/execute.ts';
import type { CallPlace, ReportCall } from '../tools/report.ts';

/** What follows the calls of a round: their answers. @param repeat an earlier try of this run may have begun them */
export const followUp = ({ calls }: Rounds, around: { more: boolean; repeat: boolean; lastLine: string }) =>
  buildFollowUp({
    results: calls.map(({ call, answer }) => ({ name: call.name, output: answer?.output ?? '' })),
    ...around,
  });

/** Makes the call, and reports it. */
export async function makeCall(
  { execute, report }: { execute: Execute; report: ReportCall },
  { acting, next, ...plan }: Omit<CallPlan, 'acting'> & { acting: ActingAgent | null; next: NextCall | null },
  notification: CallPlace['notification'],
): Promise<ToolAnswer> {
  if (acting === null || next === null) throw new Fault('bug', 'a call needs an agent');
  const started = performance.now();
  const answer = await answerCall(execute, next, { acting, ...plan });
  const ms = Math.round(performance.now() - started);
  report(next.call, answer, { agent: acting.slug, notification, round: plan.rounds.count, ms });
  return answer;
}

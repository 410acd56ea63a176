/** What happens between two rounds: a call is made, the same for a notification and a beat. */
import type { ActingAgent, ToolAnswer } from '../../machines/shared/acting.ts';
import { Fault } from '../../machines/shared/fault.ts';
import type { NextCall } from '../../machines/shared/rounds.ts';
import { answerCall, type CallPlan } from '../tools/answer-call.ts';
import type { Execute } from '../tools/execute.ts';
import type { CallPlace, ReportCall } from '../tools/report.ts';

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

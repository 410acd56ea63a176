/** What happens between two rounds: a call is made, and the agent is told how its calls ended. */
import type { ActingAgent, ToolAnswer } from '../../machines/shared/acting.ts';
import { Fault } from '../../machines/shared/fault.ts';
import { mayCall, type NextCall, type Rounds } from '../../machines/shared/rounds.ts';
import type { ToolSchema } from '../../machines/shared/tools.ts';
import type { Prompt } from '../gateway/prompt-parts.ts';
import { buildFollowUp } from '../gateway/prompt-tools.ts';
import { answerCall, type CallPlan } from '../tools/answer-call.ts';
import type { Execute } from '../tools/execute.ts';
import type { CallPlace, ReportCall } from '../tools/report.ts';

/**
 * What is sent: the run's first request, or the answers to the calls of the round before.
 * @param offered the agent's tools; none go out with the last round
 * @param repeat an earlier try of this run may have begun the calls
 * @param lastLine that of the prompt
 */
export function requestOf(
  prompt: Prompt,
  rounds: Rounds,
  { offered, ...around }: { offered: readonly ToolSchema[]; repeat: boolean; lastLine: string },
) {
  const more = mayCall(rounds);
  const tools = more ? offered : [];
  if (rounds.count === 0) return { ...prompt, tools };
  const results = rounds.calls.map(({ call, answer }) => ({ name: call.name, output: answer?.output ?? '' }));
  return { ...prompt, input: buildFollowUp({ results, more, ...around }), tools };
}

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

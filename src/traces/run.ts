/** A run with its rounds and calls, as a trace tells of it. The names of attributes are OpenTelemetry's for agents. */
import type { Attributes, Span } from '@opentelemetry/api';
import type { NextCall } from '../../machines/shared/rounds.ts';
import type { Usage } from '../../machines/shared/tools.ts';
import { roundsIn, slugIn, type SessionContext, type Subject } from './subject.ts';

export interface OpenRun {
  span: Span;
  rounds: number;
  calls: number;
  /** null while the gateway has reported none. */
  usage: Usage | null;
  /** What the last round or call failed with; null when it did not. */
  problem: string | null;
  /** We gave it up ourselves. */
  isCutOff: boolean;
}

const PROVIDER = { 'gen_ai.provider.name': 'openclaw' };

export const usageAttributes = ({ inputTokens, outputTokens }: Usage): Attributes => ({
  'gen_ai.usage.input_tokens': inputTokens,
  'gen_ai.usage.output_tokens': outputTokens,
});

/** A run that begins. */
export function aboutRun(
  { attributes }: Subject,
  context: SessionContext,
): { name: string; attributes: Attributes } {
  const agent = slugIn(context) ?? 'agent';
  return {
    name: `invoke_agent ${agent}`,
    attributes: {
      ...PROVIDER,
      ...attributes,
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': agent,
      ...(context.kind === 'notification' && { 'mission_control.attempt': context.entry.attempts }),
    },
  };
}

/** A round that begins: one response of the model. */
export function aboutRound(context: SessionContext): { name: string; attributes: Attributes } {
  const model = `openclaw/${slugIn(context) ?? 'agent'}`;
  return {
    name: `chat ${model}`,
    attributes: {
      ...PROVIDER,
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': model,
      'mission_control.round': roundsIn(context).count + 1,
    },
  };
}

/** A model may call something that is no tool, by any name. */
const TOOL_NAME = /^[a-z_]{1,40}$/;

/** A call that begins. */
export function aboutCall(next: NextCall | null): { name: string; attributes: Attributes } {
  const called = next?.call.name ?? '';
  const tool = TOOL_NAME.test(called) ? called : 'unknown';
  return {
    name: `execute_tool ${tool}`,
    attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': tool },
  };
}

export const endOfRun = ({ rounds, calls, usage, problem, isCutOff }: OpenRun): Attributes => ({
  'mission_control.run.outcome': isCutOff ? 'cutOff' : problem === null ? 'replied' : 'failed',
  'mission_control.run.rounds': rounds,
  'mission_control.run.calls': calls,
  ...(usage !== null && usageAttributes(usage)),
});

export const addUsage = (one: Usage | null, { inputTokens, outputTokens }: Usage): Usage => ({
  inputTokens: (one?.inputTokens ?? 0) + inputTokens,
  outputTokens: (one?.outputTokens ?? 0) + outputTokens,
});

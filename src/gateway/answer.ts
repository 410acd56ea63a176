import * as v from 'valibot';
import { Fault } from '../../machines/shared/fault.ts';
import type { ToolCall, Usage } from '../../machines/shared/tools.ts';
import type { Reply } from '../ports.ts';
import { theirWords } from './target.ts';
import type { Target } from './target.ts';

const word = v.optional(v.fallback(v.string(), ''), '');
const ErrorWords = v.union([
  v.looseObject({ message: word, type: word, code: word }),
  v.pipe(
    v.string(),
    v.transform((message) => ({ message, type: '', code: '' })),
  ),
]);

/** A response resource of OpenResponses, as much of it as we read. */
const Resource = v.looseObject({
  status: v.string(),
  output: v.fallback(v.optional(v.array(v.unknown()), []), []),
  error: v.optional(v.fallback(v.nullable(ErrorWords), null), null),
  incomplete_details: v.optional(v.unknown()),
  usage: v.optional(v.unknown()),
});
const Incomplete = v.looseObject({ reason: v.string() });
const RunAnswer = v.looseObject({ object: v.literal('response') });
const GatewayError = v.looseObject({ error: ErrorWords });
const Item = v.looseObject({ type: v.string(), content: v.optional(v.unknown()) });
const tokens = v.pipe(v.number(), v.integer(), v.minValue(0));
const TokenUsage = v.looseObject({ input_tokens: tokens, output_tokens: tokens });
const FunctionCall = v.looseObject({
  type: v.literal('function_call'),
  call_id: v.string(),
  name: v.string(),
  arguments: v.optional(v.unknown(), ''),
});
const OutputText = v.looseObject({ type: v.literal('output_text'), text: v.string() });

/** The gateway's own error (`{"error":{...}}` without `object`): its words, or null when the body is something else. */
export function gatewayErrorOf(body: unknown): string | null {
  if (isRunAnswer(body)) return null;
  const parsed = v.safeParse(GatewayError, body);
  return parsed.success ? parsed.output.error.message || parsed.output.error.type : null;
}

/** Whether the body speaks for a run (`object: response`) and not for the gateway. */
export const isRunAnswer = (body: unknown): boolean => v.is(RunAnswer, body);

/** The fault of a run that the gateway says has failed. */
export function runFault(resource: unknown, target: Target): Fault {
  const parsed = v.safeParse(Resource, resource);
  const error = parsed.success ? parsed.output.error : null;
  const words = [error?.code || error?.type, error?.message].filter(Boolean).join(': ');
  return new Fault(
    'runFailed',
    `The run failed: ${theirWords(words || 'the gateway gave no reason', target)}`,
  );
}

/**
 * The reply in an ended response.
 * @param streamed the text that came in deltas, for a resource without message items
 * @throws Fault runFailed when the response failed, or did not end at all
 */
export function replyOf(resource: unknown, streamed: string, target: Target): Reply {
  const parsed = v.safeParse(Resource, resource);
  if (!parsed.success) {
    throw new Fault('runFailed', 'The gateway ended the run with something that is not a response.');
  }
  const { status, output, usage, incomplete_details: details } = parsed.output;
  if (status === 'failed') throw runFault(resource, target);
  // An incomplete response was cut at the model's limit; its text is a reply all the same.
  if (status !== 'completed' && status !== 'incomplete') {
    throw new Fault('runFailed', `The run ended with the status "${theirWords(status, target)}".`);
  }
  const items = output.flatMap((item) => {
    const read = v.safeParse(Item, item);
    return read.success ? [read.output] : [];
  });
  const messages = items.filter((item) => item.type === 'message').map((item) => textOf(item.content));
  const calls = output.flatMap(callsIn);
  return {
    text: messages.filter(Boolean).join('\n\n') || streamed,
    toolCalls: calls.length,
    calls,
    cut: status === 'incomplete' ? reasonOf(details, target) : null,
    usage: usageOf(usage),
  };
}

function callsIn(item: unknown): ToolCall[] {
  const read = v.safeParse(FunctionCall, item);
  if (!read.success) return [];
  const { call_id: callId, name, arguments: given } = read.output;
  return [{ callId, name, arguments: typeof given === 'string' ? given : JSON.stringify(given) }];
}

const reasonOf = (details: unknown, target: Target): string =>
  v.is(Incomplete, details) ? theirWords(details.reason, target) : 'it does not say why';

function usageOf(usage: unknown): Usage | null {
  const read = v.safeParse(TokenUsage, usage);
  if (!read.success) return null;
  return { inputTokens: read.output.input_tokens, outputTokens: read.output.output_tokens };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  const parts: unknown[] = content;
  return parts.map((part) => (v.is(OutputText, part) ? part.text : '')).join('');
}

import * as v from 'valibot';
import { Fault } from '../../machines/shared/fault.ts';
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
});
const RunAnswer = v.looseObject({ object: v.literal('response') });
const GatewayError = v.looseObject({ error: ErrorWords });
const Item = v.looseObject({ type: v.string(), content: v.optional(v.unknown()) });
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
  const { status, output } = parsed.output;
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
  return {
    text: messages.filter(Boolean).join('\n\n') || streamed,
    toolCalls: items.filter((item) => item.type === 'function_call').length,
  };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  const parts: unknown[] = content;
  return parts.map((part) => (v.is(OutputText, part) ? part.text : '')).join('');
}

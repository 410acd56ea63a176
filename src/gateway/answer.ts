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

/**
 * A response resource of OpenResponses, as far as we read it. All fields are optional, because the events of the stream
 * may hold the reply as well.
 */
const Resource = v.looseObject({
  status: v.fallback(v.optional(v.string(), ''), ''),
  output: v.fallback(v.optional(v.array(v.unknown()), []), []),
  output_text: v.fallback(v.optional(v.string(), ''), ''),
  error: v.optional(v.fallback(v.nullable(ErrorWords), null), null),
  incomplete_details: v.optional(v.unknown()),
  usage: v.optional(v.unknown()),
});
const NOTHING = v.parse(Resource, {});
const RunAnswer = v.looseObject({ object: v.literal('response') });
const GatewayError = v.looseObject({ error: ErrorWords });
const Incomplete = v.looseObject({ reason: v.string() });
const Message = v.looseObject({ type: v.literal('message'), content: v.optional(v.unknown()) });
const TextPart = v.looseObject({ type: v.picklist(['output_text', 'text']), text: v.string() });
const RefusalPart = v.looseObject({ type: v.literal('refusal'), refusal: v.string() });
const FunctionCall = v.looseObject({
  type: v.literal('function_call'),
  call_id: v.string(),
  name: v.string(),
  arguments: v.optional(v.unknown(), ''),
});
const tokens = v.pipe(v.number(), v.integer(), v.minValue(0));
const TokenUsage = v.looseObject({ input_tokens: tokens, output_tokens: tokens });

/** Twice what a thread takes: a longer reply is cut with a notice anyway, so the rest is not kept. */
export const MAX_TEXT_CHARS = 200_000;

/** The gateway's own error (`{"error":{...}}` without `object`): its words, or null when the body is something else. */
export function gatewayErrorOf(body: unknown): string | null {
  if (isRunAnswer(body)) return null;
  const parsed = v.safeParse(GatewayError, body);
  return parsed.success ? parsed.output.error.message || parsed.output.error.type : null;
}

/** Whether the body speaks for a run (`object: response`) and not for the gateway. */
export const isRunAnswer = (body: unknown): boolean => v.is(RunAnswer, body);

/**
 * The fault of a run that the gateway says has failed.
 * @param retryAfterMs the wait that was asked for with it, 0 for none; with one it is a limit and not a failure
 */
export function runFault(resource: unknown, target: Target, retryAfterMs = 0): Fault {
  const { error } = readResource(resource);
  const words = [error?.code || error?.type, error?.message].filter(Boolean).join(': ');
  const said = theirWords(words || 'the gateway gave no reason', target);
  return retryAfterMs > 0
    ? new Fault('runLimited', `The run was refused for now: ${said}`, { retryAfterMs })
    : new Fault('runFailed', `The run failed: ${said}`);
}

/** What the events held before the end of a response. The end itself may not repeat it. */
export interface Streamed {
  text: string;
  calls: readonly ToolCall[];
}
export const NOTHING_STREAMED: Streamed = { text: '', calls: [] };

/** How the response ended, by its last event; null if there was no event, or if it does not say. */
export type Ended = 'completed' | 'incomplete' | null;

/**
 * The reply in a response. If the resource lacks a part, the streamed part is taken.
 * @throws Fault runFailed when the response failed, or did not end at all
 */
export function replyOf(resource: unknown, ended: Ended, streamed: Streamed, target: Target): Reply {
  const { status, output, output_text: whole, usage, incomplete_details: details } = readResource(resource);
  if (status === 'failed') throw runFault(resource, target);
  const isIncomplete = ended === 'incomplete' || (ended === null && status === 'incomplete');
  const text = output.map(messageText).filter(Boolean).join('\n\n') || whole || streamed.text;
  const given = output.flatMap(callsIn);
  const calls = given.length > 0 ? given : streamed.calls;
  const isOver = ended !== null || ['', 'completed', 'incomplete'].includes(status);
  if (!isOver) throw new Fault('runFailed', `The run ended with the status "${theirWords(status, target)}".`);
  const cut = isIncomplete ? reasonOf(details, target) : null;
  // Another run would be cut in the same way, and somebody waits for an answer.
  const note = cut === null || calls.length > 0 ? '' : `[The answer was cut before its first word: ${cut}.]`;
  return {
    text: text.slice(0, MAX_TEXT_CHARS) || note,
    toolCalls: calls.length,
    calls,
    cut,
    usage: usageOf(usage),
  };
}

function readResource(resource: unknown): v.InferOutput<typeof Resource> {
  const parsed = v.safeParse(Resource, resource);
  return parsed.success ? parsed.output : NOTHING;
}

/** The text of a message item, '' for any other item. */
export function messageText(item: unknown): string {
  return v.is(Message, item) ? contentText(item.content) : '';
}

/** A refusal is posted as well, in a paragraph of its own. */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  const parts: unknown[] = content;
  return parts.map(partOf).reduce(joinParts, '');
}

/** A part of a message, finished: a text or a refusal. */
export interface Part {
  text: string;
  isRefusal: boolean;
}

/** A part of a message item; one that is neither text nor refusal is empty. */
export function partOf(part: unknown): Part {
  if (v.is(TextPart, part)) return { text: part.text, isRefusal: false };
  if (v.is(RefusalPart, part)) return { text: part.refusal, isRefusal: true };
  return { text: '', isRefusal: false };
}

export const joinParts = (before: string, { text, isRefusal }: Part): string =>
  before !== '' && isRefusal ? `${before}\n\n${text}` : before + text;

/** The call in an item; empty for any other item. */
export function callsIn(item: unknown): ToolCall[] {
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

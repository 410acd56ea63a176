import * as v from 'valibot';
import type { EventSourceMessage } from 'eventsource-parser';
import type { ToolCall } from '../../machines/shared/tools.ts';
import { parseJson } from '../http.ts';
import type { Reply } from '../ports.ts';
import { callsIn, joinParts, MAX_TEXT_CHARS, messageText, partOf, replyOf, runFault } from './answer.ts';
import type { Part, Streamed } from './answer.ts';
import { theirWords } from './target.ts';
import type { Target } from './target.ts';

/** The event that closes every stream of OpenResponses. */
const END_MARK = '[DONE]';

const name = v.fallback(v.optional(v.string()), undefined);
const index = v.fallback(v.optional(v.number()), undefined);
const StreamEvent = v.looseObject({
  type: name,
  item_id: name,
  output_index: index,
  content_index: index,
  delta: name,
  item: v.fallback(v.optional(v.looseObject({ id: name })), undefined),
});
type StreamEvent = v.InferOutput<typeof StreamEvent>;

/** What a stream of events has said about one response so far. */
export interface Turn {
  /**
   * Takes the next event. What it cannot read is left out and counted: it cannot cost the reply.
   * @throws Fault runFailed when the event says that the run failed
   */
  take(event: EventSourceMessage): void;
  /** The reply, once an event has ended the response. */
  reply(): Reply | null;
  /** The reply after the last event; null when nothing says that the reply is complete. */
  replyAtEnd(): Reply | null;
  /** Whether `[DONE]` came. */
  isDone(): boolean;
  leftOut(): LeftOut;
}

/** What could not be read: how many events, and the beginning of the first. */
export interface LeftOut {
  count: number;
  example: string;
}

/** Collects one response from its events. Gateways send its text in up to five ways, and each of them is enough. */
export function createTurn(target: Target): Turn {
  const items: Item[] = [];
  let reply: Reply | null = null;
  let isDone = false;
  let leftOut: LeftOut = { count: 0, example: '' };

  function takeEvent(type: string | undefined, event: StreamEvent): void {
    switch (type) {
      case 'response.output_text.delta':
        addDelta(partAt(items, event, false), event.delta);
        return;
      case 'response.refusal.delta':
        addDelta(partAt(items, event, true), event.delta);
        return;
      case 'response.output_text.done':
        finishPart(items, event, partOf({ type: 'text', text: event['text'] }));
        return;
      case 'response.refusal.done':
        finishPart(items, event, partOf({ type: 'refusal', refusal: event['refusal'] }));
        return;
      case 'response.content_part.done':
        finishPart(items, event, partOf(event['part']));
        return;
      case 'response.output_item.done': {
        const item = itemAt(items, event);
        item.done = { text: messageText(event.item), calls: callsIn(event.item) };
        return;
      }
      case 'response.completed':
        reply = replyOf(event['response'], 'completed', streamedIn(items), target);
        return;
      case 'response.incomplete':
        reply = replyOf(event['response'], 'incomplete', streamedIn(items), target);
        return;
      case 'response.failed':
        throw runFault(event['response'], target);
      case 'error':
        throw runFault({ error: event['error'] ?? event }, target);
    }
  }

  return {
    take({ event: named, data }) {
      if (data.trim() === END_MARK) isDone = true;
      if (data.trim() === '' || isDone || reply !== null) return;
      const parsed = v.safeParse(StreamEvent, parseJson(data));
      if (parsed.success) takeEvent(parsed.output.type ?? named, parsed.output);
      else leftOut = { count: leftOut.count + 1, example: leftOut.example || theirWords(data, target) };
    },
    reply: () => reply,
    replyAtEnd() {
      if (reply !== null) return reply;
      const all = streamedIn(items);
      const isWhole = isDone || all.text.length > MAX_TEXT_CHARS || items.every(isFinished);
      return isWhole && (all.text !== '' || all.calls.length > 0) ? replyOf({}, null, all, target) : null;
    },
    isDone: () => isDone,
    leftOut: () => leftOut,
  };
}

interface Item {
  id: string | undefined;
  index: number | undefined;
  /** What the finished item holds. */
  done: { text: string; calls: readonly ToolCall[] } | null;
  parts: ItemPart[];
}

interface ItemPart {
  index: number | undefined;
  isRefusal: boolean;
  deltas: string[];
  chars: number;
  /** The text of the finished part. */
  done: string | null;
}

/** The item that an event belongs to. Gateways name it by its number, its id, both, or not at all. */
function itemAt(items: Item[], event: StreamEvent): Item {
  const id = event.item_id ?? event.item?.id;
  const at = event.output_index;
  const mayBe = (item: Item): boolean =>
    (item.id === undefined || id === undefined) && (item.index === undefined || at === undefined);
  const found =
    items.find((item) => at !== undefined && item.index === at) ??
    items.find((item) => id !== undefined && item.id === id) ??
    items.findLast((item) => item.done === null && mayBe(item));
  const item = found ?? { id, index: at, done: null, parts: [] };
  item.id ??= id;
  item.index ??= at;
  if (found === undefined) items.push(item);
  return item;
}

function partAt(items: Item[], event: StreamEvent, isRefusal: boolean): ItemPart {
  const { parts } = itemAt(items, event);
  const at = event.content_index;
  const found =
    parts.find((part) => at !== undefined && part.index === at) ??
    parts.findLast((part) => part.isRefusal === isRefusal && (part.index === undefined || at === undefined));
  const part = found ?? { index: at, isRefusal, deltas: [], chars: 0, done: null };
  part.index ??= at;
  if (found === undefined) parts.push(part);
  return part;
}

/** What is past the limit is counted and not kept. */
function addDelta(part: ItemPart, delta: string | undefined): void {
  if (delta === undefined) return;
  if (part.chars <= MAX_TEXT_CHARS) part.deltas.push(delta.slice(0, MAX_TEXT_CHARS + 1));
  part.chars += delta.length;
}

function finishPart(items: Item[], event: StreamEvent, { text, isRefusal }: Part): void {
  if (text !== '' && !isToldAgain(items, event, text)) partAt(items, event, isRefusal).done = text;
}

/** Some gateways finish the item first, and name it in no event. */
const isToldAgain = (items: readonly Item[], event: StreamEvent, text: string): boolean =>
  event.item_id === undefined &&
  event.output_index === undefined &&
  (items.at(-1)?.done?.text.includes(text) ?? false);

const isFinished = ({ done, parts }: Item): boolean =>
  done !== null || parts.every((part) => part.done !== null);

const textOf = (part: ItemPart): Part => ({
  text: part.done ?? part.deltas.join(''),
  isRefusal: part.isRefusal,
});

function streamedIn(items: readonly Item[]): Streamed {
  const texts = items.map(({ done, parts }) => done?.text || parts.map(textOf).reduce(joinParts, ''));
  return {
    text: texts.filter(Boolean).join('\n\n'),
    calls: items.flatMap(({ done }) => done?.calls ?? []),
  };
}

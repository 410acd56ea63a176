/** The items of a response and their parts, as its events bring them. Gateways name what an event belongs to in different ways. */
import * as v from 'valibot';
import type { ToolCall } from '../../machines/shared/tools.ts';
import { joinParts, MAX_TEXT_CHARS, type Part, type Streamed } from './answer.ts';

const name = v.fallback(v.optional(v.string()), undefined);
const index = v.fallback(v.optional(v.number()), undefined);
export const StreamEvent = v.looseObject({
  type: name,
  item_id: name,
  output_index: index,
  content_index: index,
  delta: name,
  item: v.fallback(v.optional(v.looseObject({ id: name })), undefined),
});
export type StreamEvent = v.InferOutput<typeof StreamEvent>;

export interface Item {
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
export function itemAt(items: Item[], event: StreamEvent): Item {
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

export function partAt(items: Item[], event: StreamEvent, isRefusal: boolean): ItemPart {
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
export function addDelta(part: ItemPart, delta: string | undefined): void {
  if (delta === undefined) return;
  if (part.chars <= MAX_TEXT_CHARS) part.deltas.push(delta.slice(0, MAX_TEXT_CHARS + 1));
  part.chars += delta.length;
}

export function finishPart(items: Item[], event: StreamEvent, { text, isRefusal }: Part): void {
  if (text !== '' && !isToldAgain(items, event, text)) partAt(items, event, isRefusal).done = text;
}

/** Some gateways finish the item first, and name it in no event. */
const isToldAgain = (items: readonly Item[], event: StreamEvent, text: string): boolean =>
  event.item_id === undefined &&
  event.output_index === undefined &&
  (items.at(-1)?.done?.text.includes(text) ?? false);

export const isFinished = ({ done, parts }: Item): boolean =>
  done !== null || parts.every((part) => part.done !== null);

const textOf = (part: ItemPart): Part => ({
  text: part.done ?? part.deltas.join(''),
  isRefusal: part.isRefusal,
});

export function streamedIn(items: readonly Item[]): Streamed {
  const texts = items.map(({ done, parts }) => done?.text || parts.map(textOf).reduce(joinParts, ''));
  return {
    text: texts.filter(Boolean).join('\n\n'),
    calls: items.flatMap(({ done }) => done?.calls ?? []),
  };
}

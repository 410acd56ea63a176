import * as v from 'valibot';
import type { EventSourceMessage } from 'eventsource-parser';
import { parseJson } from '../http.ts';
import type { Reply } from '../ports.ts';
import { callsIn, MAX_TEXT_CHARS, messageText, partOf, replyOf, runFault } from './answer.ts';
import {
  addDelta,
  finishPart,
  isFinished,
  itemAt,
  partAt,
  StreamEvent,
  streamedIn,
  type Item,
} from './items.ts';
import { theirWords, type Target } from './target.ts';

/** The event that closes every stream of OpenResponses. */
const END_MARK = '[DONE]';

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

import { MAX_MESSAGE_LENGTH } from '../shared/mission-control.ts';
import { meaningOfMessage, type Meaning } from '../shared/silence.ts';

/** As much of a reply as the journal keeps. */
export interface Reply {
  text: string;
  /** How many tools the agent called. */
  toolCalls: number;
}

/** Several guards ask for it one after the other, and it takes some 30 regular expressions. */
const meanings = new WeakMap<Reply, Meaning>();

export function meaningOf(reply: Reply): Meaning {
  const meaning = meanings.get(reply) ?? meaningOfMessage({ text: reply.text, acted: reply.toolCalls > 0 });
  meanings.set(reply, meaning);
  return meaning;
}

const NOTICE = '\n\n[This reply was too long for the thread and has been cut here.]';

/** A reply that fits the thread. One over the limit is cut, with a notice: a new run might be as long. */
export function fitMessage(text: string): string {
  if (text.length <= MAX_MESSAGE_LENGTH) return text;
  const cut = text.slice(0, MAX_MESSAGE_LENGTH - NOTICE.length);
  // Half a surrogate pair at the cut would be an invalid string for Convex.
  return cut.replace(/[\uD800-\uDBFF]$/, '') + NOTICE;
}

/** What is posted: the words of silence at the end of a text are not. */
export function messageText(reply: Reply): string {
  const meaning = meaningOf(reply);
  return fitMessage(meaning.kind === 'text' ? meaning.text : reply.text);
}

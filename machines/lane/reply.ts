/** What an agent's reply amounts to (contract, section 9, Delivery). */
export type ReplyKind = 'text' | 'nothingToSay' | 'noReply';

export interface LaneReply {
  text: string;
  toolCalls: number;
}

const HEARTBEAT = /^(?:loading context for heartbeat\.*\s*\n\s*)*HEARTBEAT_OK$/i;
const NO_REPLY = /^(?:NO_REPLY|NO_|NO)$/i;
const PLACEHOLDER =
  /^(?:@(?:"[^"\n]*"|[\w-]+)[,:]?\s+)*(?:No response from OpenClaw\.|No reply from agent\.|No response from agent\.)$/i;

export function replyKind({ text, toolCalls }: LaneReply): ReplyKind {
  const trimmed = text.trim();
  if (toolCalls > 0) return trimmed === '' ? 'nothingToSay' : 'text';
  if (HEARTBEAT.test(trimmed)) return 'nothingToSay';
  if (trimmed === '' || NO_REPLY.test(trimmed) || PLACEHOLDER.test(trimmed)) return 'noReply';
  return 'text';
}

/** The backend's limit on a message, in UTF-16 code units (contract, section 2). */
export const MAX_MESSAGE_LENGTH = 100_000;

const NOTICE = '\n\n[This reply was too long for the thread and has been cut here.]';

/** A reply that fits the thread: one over the limit is cut, with a notice, and never run again for it. */
export function fitMessage(text: string): string {
  if (text.length <= MAX_MESSAGE_LENGTH) return text;
  const cut = text.slice(0, MAX_MESSAGE_LENGTH - NOTICE.length);
  // Half a surrogate pair at the cut would be an invalid string for the backend.
  return cut.replace(/[\uD800-\uDBFF]$/, '') + NOTICE;
}

/** As much of a chat request as the answer follows from. */
export interface ChatRequest {
  /** The text of the last message of a user; OpenClaw adds messages of its own after it. */
  prompt: string;
  stream: boolean;
}

/** @returns null when the body is no chat request */
export function parseRequest(body: string): ChatRequest | null {
  try {
    const request: unknown = JSON.parse(body);
    if (typeof request !== 'object' || request === null || !('messages' in request)) return null;
    if (!Array.isArray(request.messages)) return null;
    const prompts = (request.messages as unknown[])
      .filter(isUserMessage)
      .map(({ content }) => textOf(content).replaceAll(ASIDE, '').trim())
      .filter((text) => text !== '');
    return { prompt: prompts.at(-1) ?? '', stream: 'stream' in request && request.stream === true };
  } catch {
    return null;
  }
}

/** What OpenClaw tells the model in a user's name. */
const ASIDE = /<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>[^]*?<<<END_OPENCLAW_INTERNAL_CONTEXT>>>/g;

const isUserMessage = (message: unknown): message is { content: unknown } =>
  typeof message === 'object' &&
  message !== null &&
  'role' in message &&
  message.role === 'user' &&
  'content' in message;

/** Content is a text, or a list of parts of which some have one. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  const parts: unknown[] = Array.isArray(content) ? content : [];
  return parts
    .map((part) => (typeof part === 'object' && part !== null && 'text' in part ? String(part.text) : ''))
    .join('\n');
}

const LONGEST_DELAY_S = 120;

/** What every answer begins with. */
const MARK = 'mock reply:';

/**
 * The answer to the last message that the prompt quotes (`| ` before each line), without its at signs: an answer that
 * mentions agents would wake them. Nothing to say (HEARTBEAT_OK) to a heartbeat and to an answer of its own, or two
 * agents on one task would never stop.
 */
export function answerTo({ prompt }: Pick<ChatRequest, 'prompt'>): { text: string; delayMs: number } {
  const message = lastQuote(prompt) ?? prompt.trim();
  const isBeat = /\nHeartbeat of @\S+\s*$/.test(prompt);
  if (isBeat || message.startsWith(MARK)) return { text: 'HEARTBEAT_OK', delayMs: 0 };
  const seconds = Number(/\bmock:delay=(\d{1,3})s\b/.exec(message)?.[1] ?? 0);
  return {
    text: `${MARK} ${message.replaceAll('@', '')}`,
    delayMs: Math.min(seconds, LONGEST_DELAY_S) * 1_000,
  };
}

function lastQuote(prompt: string): string | null {
  const lines = prompt.split('\n');
  const end = lines.findLastIndex((line) => line.startsWith('| '));
  if (end < 0) return null;
  const before = lines.slice(0, end).findLastIndex((line) => !line.startsWith('|'));
  return lines
    .slice(before + 1, end + 1)
    .map((line) => line.replace(/^\| ?/, ''))
    .join('\n');
}

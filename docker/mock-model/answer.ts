/** As much of a chat request as the answer follows from. */
export interface ChatRequest {
  /** The text of the last message of a user; OpenClaw adds messages of its own after it. */
  prompt: string;
  /** What the tools that it called gave back since that message. */
  results: string[];
  /** The names of the tools that the model is given. */
  tools: string[];
  /** What the model knows about itself. */
  system: string;
  stream: boolean;
}

interface ToolCall {
  name: string;
  /** JSON, as it stands in the message. */
  arguments: string;
}

export interface Answer {
  text: string;
  calls: ToolCall[];
  delayMs: number;
}

/** @returns null when the body is no chat request */
export function parseRequest(body: string): ChatRequest | null {
  try {
    const request: unknown = JSON.parse(body);
    if (typeof request !== 'object' || request === null || !('messages' in request)) return null;
    if (!Array.isArray(request.messages)) return null;
    const messages = (request.messages as unknown[]).filter(isMessage).map(({ role, content }) => ({
      role,
      text: textOf(content).replaceAll(ASIDE, '').trim(),
    }));
    const last = messages.findLastIndex(({ role, text }) => role === 'user' && text !== '');
    const results = messages.slice(last + 1).filter(({ role }) => role === 'tool');
    return {
      prompt: messages[last]?.text ?? '',
      results: results.map(({ text }) => text),
      tools: 'tools' in request && Array.isArray(request.tools) ? request.tools.flatMap(toolName) : [],
      system: messages
        .filter(({ role }) => role === 'system' || role === 'developer')
        .map(({ text }) => text)
        .join('\n'),
      stream: 'stream' in request && request.stream === true,
    };
  } catch {
    return null;
  }
}

/** What OpenClaw tells the model in a user's name. */
const ASIDE = /<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>[^]*?<<<END_OPENCLAW_INTERNAL_CONTEXT>>>/g;

const isMessage = (message: unknown): message is { role: unknown; content: unknown } =>
  typeof message === 'object' && message !== null && 'role' in message && 'content' in message;

function toolName(tool: unknown): string[] {
  if (typeof tool !== 'object' || tool === null || !('function' in tool)) return [];
  const { function: named } = tool;
  const isNamed = typeof named === 'object' && named !== null && 'name' in named;
  return isNamed && typeof named.name === 'string' ? [named.name] : [];
}

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

/** A line of the message that has it call a tool: `mock:tool=exec {"command":"env"}`. */
const CALL = /^mock:tool=(\w+) (\{.*\})$/gm;

/** The words of a person who wants a status changed. */
const PLAIN_WORDS = /\bmark (?:this|the) task as (?:in )?(review|progress|done)\b/i;

/**
 * The answer to the last message that the prompt quotes (`| ` before each line), without its at signs: an answer that
 * mentions agents would wake them. Nothing to say (HEARTBEAT_OK) to a heartbeat and to an answer of its own, or two
 * agents on one task would never stop. A message with calls is answered with them, and then with what they gave back.
 */
export function answerTo({ prompt, results, tools, system }: Omit<ChatRequest, 'stream'>): Answer {
  const answers = answersIn(prompt);
  if (answers !== null) return { text: `${MARK} ${answers.replaceAll('@', '')}`, calls: [], delayMs: 0 };
  const quoted = lastQuote(prompt);
  const message = quoted ?? prompt.trim();
  const isBeat = /\nHeartbeat of @\S+\s*$/.test(prompt);
  if (isBeat || message.startsWith(MARK)) return { text: 'HEARTBEAT_OK', calls: [], delayMs: 0 };
  const calls = results.length > 0 ? [] : callsIn(quoted ?? '').map((call) => reachable(call, tools));
  if (calls.length > 0) return { text: '', calls, delayMs: 0 };
  const seconds = Number(/\bmock:delay=(\d{1,3})s\b/.exec(message)?.[1] ?? 0);
  const said = results.length > 0 ? results.join('\n') : (systemLines(message, system) ?? message);
  return {
    text: `${MARK} ${said.replaceAll('@', '')}`,
    calls: [],
    delayMs: Math.min(seconds, LONGEST_DELAY_S) * 1_000,
  };
}

/** `mock:system=/words/` asks for the lines of the system prompt in which the expression is found; null: nobody asks. */
function systemLines(message: string, system: string): string | null {
  const [, expression] = /\bmock:system=\/(.+)\//.exec(message) ?? [];
  if (expression === undefined) return null;
  const lines = system.split('\n').filter((line) => new RegExp(expression).test(line));
  return lines.join('\n');
}

function callsIn(message: string): ToolCall[] {
  const calls = [...message.matchAll(CALL)].map(([, name = '', args = '']) => ({ name, arguments: args }));
  const status = PLAIN_WORDS.exec(message)?.[1]?.toLowerCase();
  if (calls.length > 0 || status === undefined) return calls;
  const args = { status: status === 'progress' ? 'in_progress' : status };
  return [{ name: 'task_status', arguments: JSON.stringify(args) }];
}

/** A gateway may hide a tool behind its tool search: `tool_call` then reaches it by its name. */
function reachable(call: ToolCall, tools: readonly string[]): ToolCall {
  if (tools.includes(call.name) || !tools.includes('tool_call')) return call;
  return { name: 'tool_call', arguments: `{"id":${JSON.stringify(call.name)},"args":${call.arguments}}` };
}

const MOST_OF_ANSWER = 500;

/** What the runtime tells of each call of its own tools, on one line; null for any other prompt. */
function answersIn(prompt: string): string | null {
  if (!prompt.includes('The answers to your calls, in their order:\n')) return null;
  const told = prompt.matchAll(/^\d+\. (.*)\n(\{.*\})$/gm);
  return Array.from(told, ([, name = '', output = '']) => `${name} ${output.slice(0, MOST_OF_ANSWER)}`).join(
    '; ',
  );
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

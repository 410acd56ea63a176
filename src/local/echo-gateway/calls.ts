import type { ToolSchema } from '../../../machines/shared/tools.ts';

/** A tool that the echo calls. */
export interface EchoCall {
  name: string;
  /** JSON text, as it was written: it may be broken. */
  arguments: string;
}

/** What the echo calls, round after round. */
export interface Script {
  rounds: EchoCall[][];
  /** The last round is repeated for ever. */
  forever: boolean;
}

const WORD = /\bECHO_TOOL:([\w.-]+)[ \t]*(.*)$/;
const BEAT_WORD = /\bECHO_BEAT_TOOL:([\w.-]+)[ \t]*(.*)$/;
const PLAIN_WORDS = /\bmark (?:this|the) task as (?:in )?(review|progress|done)\b/i;

/**
 * The calls that a message asks for: a line `ECHO_TOOL:<name> {json}` for each, several of them are one round,
 * `ECHO_THEN` begins the next and `ECHO_FOREVER` repeats the last. "Mark this task as in review" is a call as well.
 */
export function scriptOf(message: string): Script | null {
  const rounds = message
    .split(/\bECHO_THEN\b/)
    .map((part) => callsOf(part, WORD))
    .filter((calls) => calls.length > 0);
  const status = PLAIN_WORDS.exec(message)?.[1]?.toLowerCase();
  if (rounds.length === 0 && status !== undefined) {
    const args = JSON.stringify({ status: status === 'progress' ? 'in_progress' : status });
    rounds.push([{ name: 'task_status', arguments: args }]);
  }
  return rounds.length === 0 ? null : { rounds, forever: /\bECHO_FOREVER\b/.test(message) };
}

/** In a heartbeat the words `ECHO_BEAT_TOOL:<name> {json}` count anywhere in the text. */
export function beatScriptOf(input: string): Script | null {
  const calls = callsOf(input, BEAT_WORD);
  return calls.length === 0 ? null : { rounds: [calls], forever: false };
}

const callsOf = (text: string, word: RegExp): EchoCall[] =>
  text.split('\n').flatMap((line) => {
    const [, name, args = ''] = word.exec(line) ?? [];
    return name === undefined ? [] : [{ name, arguments: args.trim() || '{}' }];
  });

/** The next round of a script, and what is left of it. */
export function nextRound({ rounds, forever }: Script): { calls: EchoCall[]; rest: Script | null } {
  const [calls = [], ...later] = rounds;
  if (later.length > 0) return { calls, rest: { rounds: later, forever } };
  return { calls, rest: forever ? { rounds, forever } : null };
}

/** Names that OpenClaw's own tools have: it takes no other tool of that name, in whatever case. */
const TAKEN = new Set([
  'apply_patch',
  'computer',
  'edit',
  'exec',
  'ls',
  'process',
  'read',
  'write',
  'tool_call',
]);

/** Why OpenClaw does not take these tools; null when it does. */
export function toolsProblem(tools: readonly Pick<ToolSchema, 'name'>[]): string | null {
  const names = tools.map(({ name }) => name.toLowerCase());
  const isFree = names.every((name, index) => !TAKEN.has(name) && names.indexOf(name) === index);
  return isFree ? null : 'invalid tool configuration';
}

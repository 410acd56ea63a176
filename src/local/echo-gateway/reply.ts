import { beatScriptOf, scriptOf } from './calls.ts';
import type { EchoCall, Script } from './calls.ts';
import { lastQuote, resultsIn } from './prompt.ts';

/** How a run goes. */
export interface Plan {
  outcome: 'reply' | 'fail' | 'unavailable' | 'hang' | 'reset';
  text: string;
  /** The tools that it calls, in place of a text. */
  calls: readonly EchoCall[];
  /** The script of calls that this run begins in its session; null for none. */
  script: Script | null;
  delayMs: number;
  /** Time between two characters of the answer. */
  gapMs: number;
}

/**
 * What the echo answers. Magic words count in the newest text alone, so that an old message of the thread does not
 * act again:
 *
 *     ECHO_TEXT:<text>   exactly this text (to the end of the line)
 *     ECHO_EMPTY         no text at all
 *     ECHO_DELAY:<ms>    after a while
 *     ECHO_SLOW_BODY     one character every 20 ms
 *     ECHO_500           the run fails
 *     ECHO_503           the gateway takes no run
 *     ECHO_HANG          the run begins and never ends
 *     ECHO_RESET         the connection breaks in the middle of the answer
 *     ECHO_TOOL:<name> {json}   a call of that tool, and more of it in calls.ts
 *
 * After its calls the echo tells what the tools answered. An echo is not echoed again, because two agents on one task
 * would never stop. A heartbeat has nothing to do, unless something in it says `ECHO_BEAT:<text>`.
 */
export function planReply(agent: string, input: string): Plan {
  const newest = lastQuote(input) ?? input;
  const isBeat = /\nHeartbeat of @[^\n]*$/.test(input);
  const results = resultsIn(input);
  if (results !== null) return plan(`${ECHO} ${agent}: ${results.map(tellResult).join('; ')}`);
  const script = isBeat ? beatScriptOf(input) : scriptOf(newest);
  if (script !== null) return { ...plan(''), script };
  return isBeat ? plan(wordAfter(input, 'ECHO_BEAT') ?? 'HEARTBEAT_OK') : planMessage(agent, newest);
}

function planMessage(agent: string, message: string): Plan {
  const outcomes = {
    ECHO_500: 'fail',
    ECHO_503: 'unavailable',
    ECHO_HANG: 'hang',
    ECHO_RESET: 'reset',
  } as const;
  const word = /\bECHO_(?:500|503|HANG|RESET)\b/.exec(message)?.[0];
  const outcome = Object.entries(outcomes).find(([name]) => name === word)?.[1] ?? 'reply';
  const lastLine = message.trimEnd().split('\n').at(-1) ?? '';
  // Without the at signs: an echo that mentions agents would wake them, and they would echo for ever.
  if (lastLine.startsWith(ECHO)) return plan('HEARTBEAT_OK');
  const echo = `${ECHO} ${agent}: ${lastLine.replaceAll('@', '')}`;
  return {
    ...plan(''),
    outcome,
    text: /\bECHO_EMPTY\b/.test(message) ? '' : (wordAfter(message, 'ECHO_TEXT') ?? echo),
    delayMs: Number(/\bECHO_DELAY:(\d{1,7})/.exec(message)?.[1] ?? 0),
    gapMs: /\bECHO_SLOW_BODY\b/.test(message) ? 20 : 0,
  };
}

/** What every echo begins with. */
const ECHO = 'echo from';

const MOST_OF_RESULT = 500;

/** Without the at signs, as in any echo. */
const tellResult = ({ name, output }: { name: string; output: string }): string =>
  `${name} ${output.slice(0, MOST_OF_RESULT).replaceAll('@', '')}`;

const plan = (text: string): Plan => ({
  outcome: 'reply',
  text,
  calls: [],
  script: null,
  delayMs: 0,
  gapMs: 0,
});

const wordAfter = (text: string, word: string): string | undefined =>
  new RegExp(`\\b${word}:(.*)`).exec(text)?.[1]?.trim();

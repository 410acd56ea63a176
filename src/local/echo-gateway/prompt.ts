/** Reads a prompt of the runtime (src/gateway/prompt.ts), as an agent does. */
import { RESULTS_HEAD } from '../../gateway/prompt-tools.ts';
import { MARK } from '../../gateway/text.ts';

/** The text of the last quoted block of a prompt: the newest message. Null when nothing is quoted. */
export function lastQuote(prompt: string): string | null {
  const lines = prompt.split('\n');
  const end = lines.findLastIndex((line) => line.startsWith(MARK));
  if (end === -1) return null;
  const start = lines.findLastIndex((line, index) => index < end && !line.startsWith(MARK)) + 1;
  return lines
    .slice(start, end + 1)
    .map((line) => line.slice(MARK.length))
    .join('\n');
}

/** The results in a follow-up; null for any other text. */
export function resultsIn(input: string): { name: string; output: string }[] | null {
  if (!input.includes(`${RESULTS_HEAD}\n`)) return null;
  return Array.from(input.matchAll(/^\d+\. (.*)\n(\{.*\})$/gm), ([, name = '', output = '']) => ({
    name,
    output,
  }));
}

/** The id in the input's last line, null when there is none. */
export const notificationIdOf = (input: string): string | null =>
  /(?:^|\n)Notification ID: (\S+)\s*$/.exec(input)?.[1] ?? null;

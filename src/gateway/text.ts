/** What begins each line that people wrote. */
export const MARK = '| ';
const NEW_LINE = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/u;
const CONTROL = /\p{Cc}+/gu;

/**
 * The first `max` UTF-16 units of a text, the last one being "…" where something was left out. Never half of a
 * surrogate pair: the gateway would store a broken character.
 */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const head = text.slice(0, max - 1);
  const last = head.charCodeAt(head.length - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return `${splitsPair ? head.slice(0, -1) : head}…`;
}

/** A text on one line, at most `max` UTF-16 units. */
export const oneLine = (text: string, max: number): string =>
  cut(text.split(NEW_LINE).join(' ').replace(CONTROL, ' ').trim(), max);

/**
 * What people wrote, each line behind "| ". No line of it can begin without the mark, so that quoted text cannot
 * pose as a heading, an instruction or the last line of ours.
 */
export const quote = (text: string): string =>
  text
    .split(NEW_LINE)
    .map((line) => `${MARK}${line}`)
    .join('\n');

/** The words by which an agent says that it has nothing to say, and how they are found in what it wrote. */

/** The underscore may be escaped, as Markdown wants it. */
const WORD = String.raw`(?:NO\\?_REPLY|HEARTBEAT\\?_OK)`;
const HEARTBEAT_WORD = String.raw`HEARTBEAT\\?_OK`;
const MENTION = String.raw`@(?:"[^"\n]*"|[\w-]+)[,:]?\s+`;

const EVERY_WORD = new RegExp(WORD, 'gi');
/** In capitals only: "No" is an answer. */
export const CUT_OFF_WORD = /^NO_?$/;
export const PLACEHOLDER = new RegExp(
  `^(?:${MENTION})*(?:No response from OpenClaw|No reply from agent|No response from agent)\\.$`,
  'i',
);

/** Characters that a reader does not see: control characters, odd spaces, and characters without a width. */
const INVISIBLE = /(?!\s)[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Z}\u2800]/gu;
export const withoutInvisible = (text: string): string => text.replace(INVISIBLE, '');

/** What may stand around the word without adding anything to it. */
const TRIMMINGS = [
  /^loading context for heartbeat\.*$/gim,
  new RegExp(`^\\s*(?:${MENTION})+`),
  /^\s*(?:`{3,}|~{3,})\w*\s*$/gm,
  /<\/?[a-z][^<>]*>/gi,
  /&(?:nbsp|#\d+|#x[\da-f]+);/gi,
  /^\s*\d+[.)]\s/gm,
];
const HAS_CONTENT = /[\p{L}\p{N}?]/u;

/** A longer text is not searched for words of silence, so that no text can keep the process busy; in characters. */
const MAX_DRESSED = 1_000;

/** Whether the text is nothing but words of silence, with any markup around them. */
export function isOnlyWords(text: string): boolean {
  const spoken = withoutThoughts(text);
  if (spoken.length > MAX_DRESSED) return false;
  const undressed = TRIMMINGS.reduce((rest, trimming) => rest.replace(trimming, ''), spoken);
  const rest = undressed.replace(EVERY_WORD, '');
  return rest !== undressed && !HAS_CONTENT.test(rest);
}

/** Without the thoughts that some models write before their answer. */
function withoutThoughts(text: string): string {
  const [first = '', ...others] = text.split(/<think>/i);
  return others.reduce((spoken, part) => {
    const end = part.search(/<\/think>/i);
    return spoken + (end === -1 ? `<think>${part}` : part.slice(end + '</think>'.length));
  }, first);
}

/** In a list, a quotation, a table or a heading the word is quoted, not said. */
const SHOWS = /^\s*(?:[-+*\u2022]\s|\d+[.)]\s|>|\||#)/;
const FENCE = /^\s*(?:`{3,}|~{3,})\w*\s*$/;
const RULE = /^\s*(?:[-*_]\s*){3,}$/;
/** What may close a sentence behind its last mark, and what may stand around a word. */
const CLOSING = `["'”’)\\]*_\`»]*`;
const AROUND = `[*_\`"'“”]*`;
/** A word right after the end of a sentence. After a question it may be the answer, unless no space is between them. */
const GLUED = new RegExp(
  `^(.*(?:[.!…。！]${CLOSING}\\s*|[?？]${CLOSING}))${AROUND}${WORD}[*_\`"'“”.!]*$`,
  'i',
);

/** The text without the words of silence at its end; null when it does not end with one. */
export function withoutLastWords(text: string): string | null {
  const lines = text.split('\n');
  let removed = false;
  for (;;) {
    dropEnd(lines, isBlank);
    if (!dropLastWord(lines)) break;
    removed = true;
  }
  if (!removed) return null;
  dropEnd(lines, (line) => isBlank(line) || RULE.test(line));
  const rest = lines.join('\n').trimEnd();
  // "Answer with:" introduces the word.
  return /[:,]$/.test(rest) ? null : rest;
}

const isBlank = (line: string): boolean => withoutInvisible(line).trim() === '';

function dropEnd(lines: string[], isEmpty: (line: string) => boolean): void {
  while (lines.length > 0 && isEmpty(lines.at(-1) ?? '')) lines.pop();
}

/** @returns whether the last line was, or ended with, a word of silence */
function dropLastWord(lines: string[]): boolean {
  const last = withoutInvisible(lines.at(-1) ?? '').trimEnd();
  const fenced = lines.slice(-3);
  if (fenced.length === 3 && FENCE.test(last) && FENCE.test(fenced[0] ?? '') && saysWord(fenced[1] ?? '')) {
    lines.splice(-3);
    return true;
  }
  if (saysWord(last)) {
    lines.pop();
    return true;
  }
  if (/^\s*[>|]/.test(last) || isOnlyWords(last)) return false;
  const end = last.slice(-MAX_DRESSED);
  const sentence = GLUED.exec(end)?.[1];
  if (sentence === undefined) return false;
  lines[lines.length - 1] = last.slice(0, -end.length) + sentence.trimEnd();
  return true;
}

const saysWord = (line: string): boolean => !SHOWS.test(line) && isOnlyWords(withoutInvisible(line));

const DRESS = String.raw`[^\p{L}\p{N}?]*`;
const HEARTBEAT_FIRST = new RegExp(`^${DRESS}${HEARTBEAT_WORD}(?![\\p{L}\\p{N}_])${DRESS}`, 'iu');
/** Not after a plain word: "the word is HEARTBEAT_OK" speaks about it. */
const HEARTBEAT_LAST = new RegExp(`(^|[^\\p{L}\\p{N}\\s_*\`"'])[\\s_*\`"']*${HEARTBEAT_WORD}${DRESS}$`, 'iu');

/** What a heartbeat says before or after its HEARTBEAT_OK; null when it neither begins nor ends with it. */
export function besideHeartbeat(text: string): string | null {
  const visible = withoutInvisible(text);
  const first = HEARTBEAT_FIRST.exec(visible.slice(0, MAX_DRESSED));
  if (first) return visible.slice(first[0].length);
  if (visible.length <= MAX_DRESSED && HEARTBEAT_LAST.test(visible))
    return visible.replace(HEARTBEAT_LAST, '$1');
  const rest = withoutLastWords(visible);
  return rest !== null && new RegExp(HEARTBEAT_WORD, 'i').test(visible.slice(rest.length)) ? rest : null;
}

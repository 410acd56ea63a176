import { endOfBrackets, endOfString } from './quotes.ts';

/** The endings of names of secrets. `tokens` is not one, because it is a count; `session...Key` is an address. */
const NAMES =
  'authorization|cookies?|token|secrets?|passwords?|passwd|passphrase|credentials?|(?:api|access|private|secret)[-_]?keys?';

/** A name, its closing quote if it has one, and the characters between it and its value. */
const KEY = new RegExp(
  `(?<name>${NAMES})(?:(?<slashes>\\\\{0,15})(?<quote>["']))?(?<separator>\\s{0,3}(?:[:=]>?|%3[ad])\\s{0,3})`,
  'gi',
);

const SECRET_NAME = new RegExp(`(?:${NAMES})$`, 'i');

export const isSecretName = (name: string): boolean => SECRET_NAME.test(name);

interface Span {
  start: number;
  end: number;
  /** The text in its place. */
  text: string;
}

const HIDDEN = '***';

/**
 * One word with the scheme before it. It ends at white space, at the next parameter, or at the end of the string around it.
 * Escaped pairs stay together.
 */
const WORD = String.raw`(?:[^\s&,;"'\\]|\\[^\s"\\nrt]|\\\\)+`;
const BARE_WORD = new RegExp(String.raw`(?:(?:basic|bearer|convex|digest)\s{1,3})?${WORD}`, 'iy');
const REST_OF_LINE = /(?:[^"\\\r\n]|\\[^"\\nr]|\\\\)+/y;
const SCALAR = /[^\s,}\]"'\\]+/y;
const SINGLE_QUOTED = /'[^'"\\]*'/y;
const DOUBLE_QUOTE = /(\\{0,15})"/y;

/** Words that say that there is no secret. They stay, because that is worth knowing. */
const NOTHING = /^(?:true|false|null|undefined|none)$/;

function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

interface Key {
  name: string;
  separator: string;
  /** The key's quote with its backslashes; null when the key has none. */
  quoting: string | null;
}

/** A value without quotes: `token=x`, `Authorization: Bearer x`, `"token":5`, `"token":["x"]`. */
function bareValue(text: string, start: number, { name, separator, quoting }: Key): Span | null {
  const hidden = quoting === null ? HIDDEN : `${quoting}${HIDDEN}${quoting}`;
  const span = (value: string | null): Span | null =>
    value === null || NOTHING.test(value) ? null : { start, end: start + value.length, text: hidden };

  const inProse = quoting === null && /:\s/.test(separator);
  if (!inProse && /[[{]/.test(text[start] ?? '')) {
    const end = endOfBrackets(text, start, (quoting?.length ?? 1) - 1);
    // A word right after the bracket is hidden too. Redacting again would otherwise take it for the value.
    const rest = quoting === null ? (matchAt(BARE_WORD, text, end) ?? '') : '';
    return { start, end: end + rest.length, text: hidden };
  }
  if (quoting !== null) return span(matchAt(SCALAR, text, start));
  if (inProse && /^cookie/i.test(name)) return span(matchAt(REST_OF_LINE, text, start));
  const word = matchAt(BARE_WORD, text, start);
  // "the gateway refuses our token: set ..." is a sentence. A generated secret holds a digit.
  if (inProse && !/^authorization$/i.test(name) && !/\d/.test(word ?? '')) return null;
  return span(word);
}

function secretAt(text: string, key: RegExpExecArray): Span | null {
  const { name = '', slashes = '', quote, separator = '' } = key.groups ?? {};
  const at = key.index + key[0].length;
  const opening = matchAt(DOUBLE_QUOTE, text, at);
  if (opening !== null) {
    const start = at + opening.length;
    const { end } = endOfString(text, start, opening.length - 1);
    return start === end ? null : { start, end, text: HIDDEN };
  }
  const single = matchAt(SINGLE_QUOTED, text, at);
  if (single !== null) return { start: at, end: at + single.length, text: `'${HIDDEN}'` };
  return bareValue(text, at, { name, separator, quoting: quote === undefined ? null : `${slashes}"` });
}

/** Hides values after names of secrets: in JSON (also inside JSON strings), `name=value`, addresses and headers. */
export function hideSecretKeys(text: string): string {
  let out = '';
  let from = 0;
  for (const key of text.matchAll(KEY)) {
    if (key.index < from) continue;
    const span = secretAt(text, key);
    if (!span) continue;
    out += text.slice(from, span.start) + span.text;
    from = span.end;
  }
  return out + text.slice(from);
}

/**
 * Characters that could end a line, move the cursor or turn the writing direction: control characters, line and paragraph
 * separators, bidirectional overrides. A message may hold text from anywhere, and that text must not forge a line.
 */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

const SHORT = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** The same text on one line. A JSON text keeps its meaning. */
export const escapeControls = (text: string): string =>
  text.replace(
    UNPRINTABLE,
    (char) => SHORT.get(char) ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

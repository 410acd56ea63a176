/**
 * Finds where strings and arrays end in text that may be JSON, or JSON inside a JSON string, and so on. Inside n strings
 * a quote has 2^n - 1 backslashes before it. Here that number is the level of the quote.
 */

export interface End {
  /** Where the content ends. */
  end: number;
  /** Where the text goes on after its closing mark. */
  next: number;
}

/** @returns the level of the string that a quote after this many backslashes closes, or null when the quote is content */
function closedLevel(backslashes: number, level: number): number | null {
  const rest = backslashes % (2 * (level + 1));
  if (rest === level) return level;
  if (level === 0 || rest === 2 * level + 1) return null;
  return closedLevel(backslashes, Math.floor((level - 1) / 2));
}

/** The end of a string whose content begins at `from`. The end of a string around it ends it as well. */
export function endOfString(text: string, from: number, level: number): End {
  const quote = /(\\*)"/g;
  quote.lastIndex = from;
  for (let match = quote.exec(text); match; match = quote.exec(text)) {
    const backslashes = match[1]?.length ?? 0;
    const closed = closedLevel(backslashes, level);
    if (closed === null) continue;
    const end = match.index + backslashes - closed;
    return { end, next: closed === level ? quote.lastIndex : end };
  }
  return { end: text.length, next: text.length };
}

/** The end of an array or object that begins at `from`, its closing bracket included. */
export function endOfBrackets(text: string, from: number, level: number): number {
  const mark = /[[{]|[\]}]|(\\*)"/g;
  mark.lastIndex = from;
  let depth = 0;
  for (let match = mark.exec(text); match; match = mark.exec(text)) {
    if (match[1] === undefined) {
      depth += /[[{]/.test(match[0]) ? 1 : -1;
      if (depth === 0) return mark.lastIndex;
    } else {
      // A string around the array ends here, so the rest of the array was cut off.
      if (match[1].length < level) return match.index;
      mark.lastIndex = endOfString(text, mark.lastIndex, match[1].length).next;
    }
  }
  return text.length;
}

/** One event of a `text/event-stream`, as the HTML standard parses it. */
export interface SseEvent {
  /** The `event` field, 'message' when there was none. */
  name: string;
  data: string;
}

/** The stream holds an event that is longer than we keep. */
export class SseTooLongError extends Error {
  override readonly name = 'SseTooLongError';
}

export interface SseParser {
  /**
   * @param chunk the next bytes, cut anywhere: inside a line end or inside a character
   * @returns the events that this chunk completed
   * @throws SseTooLongError when one event is over the limit
   */
  push(chunk: Uint8Array): SseEvent[];
}

/**
 * An incremental parser of server-sent events (HTML standard, section 9.2.6). Lines end with CRLF, LF or CR;
 * an event that the stream leaves unfinished is dropped, as the standard says.
 * @param maxEventChars the most UTF-16 units that one unfinished event may hold
 */
export function createSseParser(maxEventChars: number): SseParser {
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  let afterCr = false;
  let name = '';
  let data: string[] = [];
  let held = 0;

  const hold = (text: string): void => {
    held += text.length;
    if (held > maxEventChars) throw new SseTooLongError(`An event is over ${maxEventChars} characters.`);
  };

  function endEvent(): SseEvent[] {
    const event = { name: name || 'message', data: data.join('\n') };
    const dispatched = data.length > 0;
    name = '';
    data = [];
    held = 0;
    return dispatched ? [event] : [];
  }

  function takeField(line: string): void {
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line.charAt(colon + 1) === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data.push(value);
    if (field === 'event') name = value;
  }

  function endLine(): SseEvent[] {
    const line = pieces.join('');
    pieces = [];
    if (line === '') return endEvent();
    takeField(line);
    return [];
  }

  return {
    push(chunk) {
      let text = decoder.decode(chunk, { stream: true });
      if (text === '') return [];
      // The LF of a CRLF that two chunks share.
      if (afterCr && text.startsWith('\n')) text = text.slice(1);
      afterCr = text === '' ? false : text.endsWith('\r');

      // Only the new text is searched: a long line that comes in many chunks stays linear.
      const parts = text.split(/\r\n|\n|\r/);
      const rest = parts.pop() ?? '';
      const events: SseEvent[] = [];
      for (const part of parts) {
        hold(part);
        pieces.push(part);
        events.push(...endLine());
      }
      hold(rest);
      if (rest !== '') pieces.push(rest);
      return events;
    },
  };
}

/** The reading side of the stream, for the page and for `npm run record`. */
import { createParser } from 'eventsource-parser';
import type { Entry, Hello } from './wire.ts';

/** Characters of one message; a greeting holds everything. */
const LONGEST_MESSAGE = 64 * 1024 * 1024;

export interface Follower {
  /** The stream begins, perhaps again. Forget everything that was known before. */
  onHello: (hello: Hello) => void;
  onEntries: (entries: Entry[]) => void;
  /** The key that each command needs while this connection lasts. */
  onKey?: (key: string) => void;
  onOpen?: () => void;
}

/** Remembers how far it has read, so that it goes on there after a break. */
export interface Stream {
  /**
   * Reads one connection to its end.
   * @throws Error when there is none, or it breaks
   */
  read(signal: AbortSignal): Promise<void>;
}

/** @param url of `/events` */
export function followStream(url: string, follower: Follower): Stream {
  let place: { epoch: string; seq: number } | null = null;

  function take(name: string, data: string): void {
    if (name === 'key') follower.onKey?.(data);
    // The types are our own server's: both ends come from this folder.
    if (name === 'hello') {
      const hello = JSON.parse(data) as Hello;
      place = { epoch: hello.picture.epoch, seq: hello.picture.seq };
      follower.onHello(hello);
    } else if (name === 'entries') {
      const entries = JSON.parse(data) as Entry[];
      const last = entries.at(-1);
      if (place !== null && last !== undefined) place.seq = last.seq;
      follower.onEntries(entries);
    }
  }

  return {
    async read(signal) {
      const headers: Record<string, string> =
        place === null ? {} : { 'Last-Event-ID': `${place.epoch}.${place.seq}` };
      const response = await fetch(url, { headers, signal, cache: 'no-store' });
      if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
      follower.onOpen?.();
      const decoder = new TextDecoder();
      const parser = createParser({
        maxBufferSize: LONGEST_MESSAGE,
        onEvent: ({ event = 'message', data }) => take(event, data),
      });
      const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        parser.feed(decoder.decode(value, { stream: true }));
      }
    },
  };
}

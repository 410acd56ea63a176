/** The viewers: one stream of Server-Sent Events each. */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** Viewers at once; a page has one stream. */
export const MOST_VIEWERS = 16;
/** Bytes that wait for a viewer that does not read; past it the viewer is dropped, and may come back. */
export const MOST_UNREAD = 8 * 1024 * 1024;

/** One message, with the place in the stream that it brings the viewer to. */
export interface Message {
  name: 'hello' | 'entries';
  data: unknown;
  id: string;
}

export interface Hub {
  count(): number;
  /** Begins a viewer's stream with this message. */
  admit(response: ServerResponse, greeting: Message): void;
  tell(message: Message): void;
  /** Whether a viewer that is connected now was given this key. */
  knows(key: string): boolean;
  /** Sends a comment to everyone, so that a silent stream does not become an idle connection. */
  heartbeat(): void;
  close(): Promise<void>;
}

interface Viewer {
  response: ServerResponse;
  key: string;
}

/** @param onLast called when the last viewer has left */
export function createHub(redact: (text: string) => string, onLast: () => void): Hub {
  const viewers = new Set<Viewer>();

  function drop(viewer: Viewer): void {
    if (!viewers.delete(viewer)) return;
    viewer.response.destroy();
    if (viewers.size === 0) onLast();
  }

  function write(viewer: Viewer, text: string): void {
    if (viewer.response.writableLength > MOST_UNREAD) drop(viewer);
    else viewer.response.write(text);
  }

  const textOf = ({ name, data, id }: Message): string =>
    `id: ${id}\nevent: ${name}\ndata: ${redact(JSON.stringify(data))}\n\n`;

  return {
    count: () => viewers.size,
    admit(response, greeting) {
      const viewer: Viewer = { response, key: randomBytes(24).toString('base64url') };
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      response.once('close', () => drop(viewer));
      response.on('error', () => drop(viewer));
      viewers.add(viewer);
      // The redactor would hide the key. It is good for as long as this stream is open.
      write(viewer, `retry: 500\nevent: key\ndata: ${viewer.key}\n\n`);
      write(viewer, textOf(greeting));
    },
    tell(message) {
      if (viewers.size === 0) return;
      const text = textOf(message);
      for (const viewer of viewers) write(viewer, text);
    },
    knows: (key) => [...viewers].some((viewer) => viewer.key === key),
    heartbeat() {
      for (const viewer of viewers) write(viewer, ': still here\n\n');
    },
    async close() {
      const ends = [...viewers].map(
        ({ response }) => new Promise<void>((resolve) => void response.end(resolve)),
      );
      await Promise.all(ends);
    },
  };
}

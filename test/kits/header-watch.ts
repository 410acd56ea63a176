/** Stands before a server, passes everything on, and remembers what was asked with which `traceparent`. */
import { createServer, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Seen {
  path: string;
  /** The function of Convex; '' for another request. */
  name: string;
  traceparent: string | undefined;
  body: string;
}

export async function watchHeaders(behind: string): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((question, answer) => {
    void buffer(question).then((bytes) => {
      const { method, headers, url: path = '/' } = question;
      const body = bytes.toString('utf8');
      const name = /^\{"path":"[^:"]*:(?<name>\w+)"/.exec(body)?.groups?.name ?? '';
      const { traceparent } = headers;
      seen.push({
        path,
        name,
        traceparent: traceparent === undefined ? undefined : String(traceparent),
        body,
      });
      const onward = request(`${behind}${path}`, { method, headers }, (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(answer);
      });
      onward.on('error', () => answer.destroy());
      answer.once('close', () => onward.destroy());
      onward.end(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`, seen };
}

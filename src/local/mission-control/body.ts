import type { IncomingMessage } from 'node:http';
import { HttpProblem } from './problem.ts';

/** Convex takes arguments of up to 16 MiB. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Reads to the end in any case: a client that is still sending would not see an answer before that.
 * @throws HttpProblem 413 past the limit, 415 for what is not JSON (so that no web page can send it unasked)
 */
export async function readBody(request: IncomingMessage): Promise<string> {
  const stream: AsyncIterable<Buffer> = request;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const bytes of stream) {
    size += bytes.length;
    if (size <= MAX_BODY_BYTES) chunks.push(bytes);
  }
  if (size > MAX_BODY_BYTES) {
    throw new HttpProblem(413, 'PayloadTooLarge', `The body is over ${MAX_BODY_BYTES} bytes.`);
  }
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new HttpProblem(415, 'UnsupportedMediaType', 'Send the body as application/json.');
  }
  return Buffer.concat(chunks).toString('utf8');
}

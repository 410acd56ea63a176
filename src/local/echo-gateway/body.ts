import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendError } from './wire.ts';

const MAX_BODY_BYTES = 20 * 2 ** 20;

/** @returns the body's JSON. For any other body it answers the sender with an error and returns null */
export async function readJson(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<{ json: unknown } | null> {
  const body: AsyncIterable<Buffer> = request;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (size > MAX_BODY_BYTES) {
    sendError(response, 413, 'invalid_request_error', 'Payload too large');
    return null;
  }
  try {
    return { json: JSON.parse(Buffer.concat(chunks).toString()) };
  } catch (error) {
    sendError(
      response,
      400,
      'invalid_request_error',
      error instanceof Error ? error.message : 'Invalid JSON',
    );
    return null;
  }
}

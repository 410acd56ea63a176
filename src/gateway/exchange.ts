import type { Dispatcher } from 'undici';
import { openClient } from '../connect.ts';
import type { Target } from './target.ts';

/**
 * One connection of our own, to be destroyed by who opened it; `destroy()` settles when the socket is closed.
 * Runs share no pool: a pooled socket that the gateway has just closed would look like a gateway that is gone,
 * and a session's next request must never meet its last one.
 */
export const openConnection = (
  { base: { origin }, proxy }: Target,
  connectTimeoutMs: number,
  onConnect?: () => void,
): Dispatcher => openClient({ origin, proxy }, { connectTimeoutMs }, onConnect);

/** The answer is larger than we read. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

/**
 * The bytes of an answer.
 * @param onChunk called with each piece that comes
 * @throws TooLargeError past `maxBytes`
 */
export async function* boundedChunks(
  answer: Dispatcher.ResponseData,
  maxBytes: number,
  onChunk?: () => void,
): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterable<Uint8Array> = answer.body;
  let size = 0;
  for await (const chunk of chunks) {
    onChunk?.();
    size += chunk.length;
    if (size > maxBytes) throw new TooLargeError(`the answer has more than ${maxBytes} bytes`);
    yield chunk;
  }
}

/** A body whose first bytes have been looked at; `chunks` gives all of it. */
export interface PeekedBody {
  head: string;
  chunks: AsyncGenerator<Uint8Array>;
}

/** Looks at the first `length` bytes of a body, or at all of it when it is shorter. */
export async function peek(body: AsyncGenerator<Uint8Array>, length: number): Promise<PeekedBody> {
  const first: Uint8Array[] = [];
  let size = 0;
  while (size < length) {
    const next = await body.next();
    if (next.done === true) break;
    first.push(next.value);
    size += next.value.length;
  }
  const head = new TextDecoder().decode(Buffer.concat(first));
  return { head, chunks: joined(first, body) };
}

async function* joined(
  first: readonly Uint8Array[],
  body: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* body;
}

/** A whole body as text. */
export async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** The beginning of an answer as text; what is past `maxBytes` is left unread. */
export async function readHead(answer: Dispatcher.ResponseData, maxBytes: number): Promise<string> {
  const chunks: AsyncIterable<Uint8Array> = answer.body;
  const head: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    head.push(chunk);
    size += chunk.length;
    if (size > maxBytes) break;
  }
  return new TextDecoder().decode(Buffer.concat(head).subarray(0, maxBytes));
}

/** Parsed JSON, or undefined: no JSON text means undefined. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A header's first value, '' when it is absent. */
export function headerOf(answer: Dispatcher.ResponseData, name: string): string {
  const value = answer.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

import type { Dispatcher } from 'undici';

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
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  onChunk?: () => void,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of chunks) {
    onChunk?.();
    size += chunk.length;
    if (size > maxBytes) throw new TooLargeError(`the answer has more than ${maxBytes} bytes`);
    yield chunk;
  }
}

/** A body and its first bytes; `chunks` gives the whole body. */
export interface PeekedBody {
  head: string;
  chunks: AsyncGenerator<Uint8Array>;
}

/** Reads the first `length` bytes of a body, or all of it when it is shorter. */
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

/** The beginning of an answer as text; what is past `maxBytes` is left unread. */
export async function readHead(answer: Dispatcher.ResponseData, maxBytes: number): Promise<string> {
  const body = boundedChunks(answer.body, Infinity);
  const { head } = await peek(body, maxBytes);
  await body.return(undefined);
  return head;
}

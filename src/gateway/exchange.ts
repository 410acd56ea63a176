import { Client } from 'undici';
import type { Dispatcher } from 'undici';
import { Fault } from '../../machines/shared/fault.ts';
import type { Target } from './target.ts';

/**
 * One connection of our own, to be destroyed by who opened it; `destroy()` settles when the socket is closed.
 * Runs share no pool: a pooled socket that the gateway has just closed would look like a gateway that is gone,
 * and a session's next request must never meet its last one.
 * Undici's own time-outs are off: it gives up after 300 s without a header, a run may think for longer.
 */
export function openConnection(target: Target, connectTimeoutMs: number): Client {
  return new Client(target.base.origin, {
    allowH2: false,
    bodyTimeout: 0,
    connect: { timeout: connectTimeoutMs },
    headersTimeout: 0,
    pipelining: 0,
  });
}

/**
 * The bytes of an answer.
 * @param onChunk called with each piece that comes
 * @throws Fault runFailed past `maxBytes`
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
    if (size > maxBytes) {
      throw new Fault('runFailed', `The gateway's answer is over ${maxBytes} bytes and was given up.`);
    }
    yield chunk;
  }
}

/** An answer as text. @throws Fault runFailed past `maxBytes` */
export async function readText(
  answer: Dispatcher.ResponseData,
  maxBytes: number,
  onChunk?: () => void,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of boundedChunks(answer, maxBytes, onChunk)) chunks.push(chunk);
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

import { Readable } from 'node:stream';
import * as v from 'valibot';
import { isRunAnswer } from './answer.ts';

/** So many bytes are enough to tell a stream of events from JSON. */
export const MIN_HEAD_BYTES = 8;

/**
 * The form of an answer, by its type. The first bytes decide where the type does not say, because proxies change it.
 */
export function formOf(type: string, head: string): 'stream' | 'json' | 'jsonOrStream' | 'other' {
  const isJson = /^\uFEFF?\s*\{/.test(head);
  // Some gateways answer in JSON and keep the type of a stream; and a stream may begin with a broken line.
  if (type.startsWith('text/event-stream')) return isJson ? 'jsonOrStream' : 'stream';
  if (/^\uFEFF?\s*(?::|(?:data|event|id|retry)\s*:)/.test(head)) return 'stream';
  return isJson || type === '' || type.startsWith('application/json') ? 'json' : 'other';
}

/** A stream that was read as a text. */
export const streamOf = (text: string): AsyncIterable<Uint8Array> => Readable.from([Buffer.from(text)]);

const Output = v.looseObject({ output: v.array(v.unknown()) });

/** Whether the JSON of an answered run is a response; some gateways leave `object` out. */
export const isResponse = (json: unknown): boolean => isRunAnswer(json) || v.is(Output, json);

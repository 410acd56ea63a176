/** Index keys: bytes that compare like Convex compares values (`compareValues` of convex/values). */
import type { Value } from 'convex/values';
import { isFields } from './values.ts';

/** No encoded value starts with this or a higher byte: a prefix and this byte come after all that has the prefix. */
const ABOVE_ALL = Uint8Array.of(0xff);
/** Ends strings, bytes, arrays and objects. It is below every tag, so what is shorter comes first. */
const END = 0x00;
const TAG = {
  undefined: 1,
  null: 2,
  bigint: 3,
  number: 4,
  boolean: 5,
  string: 6,
  bytes: 7,
  array: 8,
  object: 9,
};

/** The key of a row: its indexed values one after another. */
export function encodeKey(values: readonly (Value | undefined)[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const value of values) encode(value, parts);
  return Buffer.concat(parts);
}

/** @returns the first key after all keys that begin with this one */
export const afterPrefix = (key: Uint8Array): Uint8Array => Buffer.concat([key, ABOVE_ALL]);

export const isBefore = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) < 0;

function encode(value: Value | undefined, parts: Uint8Array[]): void {
  if (value === undefined) parts.push(Uint8Array.of(TAG.undefined));
  else if (value === null) parts.push(Uint8Array.of(TAG.null));
  else if (typeof value === 'bigint') parts.push(encodeBigint(value));
  else if (typeof value === 'number') parts.push(encodeNumber(value));
  else if (typeof value === 'boolean') parts.push(Uint8Array.of(TAG.boolean, value ? 1 : 0));
  else if (typeof value === 'string') pushEscaped(TAG.string, Buffer.from(value, 'utf8'), parts);
  else if (value instanceof ArrayBuffer) pushEscaped(TAG.bytes, Buffer.from(value), parts);
  else if (Array.isArray(value)) encodeList(TAG.array, value, parts);
  else if (isFields(value)) {
    const names = Object.keys(value).sort();
    const pairs = names.map((name) => [name, value[name] ?? null]);
    encodeList(TAG.object, pairs, parts);
  }
}

function encodeList(tag: number, values: readonly Value[], parts: Uint8Array[]): void {
  parts.push(Uint8Array.of(tag));
  for (const value of values) encode(value, parts);
  parts.push(Uint8Array.of(END));
}

function encodeBigint(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(9);
  bytes[0] = TAG.bigint;
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value) ^ (1n << 63n), 1);
  return bytes;
}

/** The bits of a double, turned so that they compare as numbers do: -0 before 0, NaN at the end of its sign. */
function encodeNumber(value: number): Uint8Array {
  const bytes = Buffer.alloc(9);
  bytes[0] = TAG.number;
  bytes.writeDoubleBE(value, 1);
  const flip = (bytes[1] ?? 0) & 0x80 ? 0xff : 0;
  for (let at = 1; at < 9; at++) bytes[at] = (bytes[at] ?? 0) ^ flip;
  if (flip === 0) bytes[1] = (bytes[1] ?? 0) ^ 0x80;
  return bytes;
}

/** A zero byte inside is followed by 0xff, so that it is not the end. */
function pushEscaped(tag: number, content: Uint8Array, parts: Uint8Array[]): void {
  parts.push(Uint8Array.of(tag));
  let from = 0;
  for (let at = content.indexOf(0); at !== -1; at = content.indexOf(0, at + 1)) {
    parts.push(content.subarray(from, at + 1), ABOVE_ALL);
    from = at + 1;
  }
  parts.push(content.subarray(from), Uint8Array.of(END));
}

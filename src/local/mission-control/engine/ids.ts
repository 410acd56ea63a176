/**
 * Document ids in Convex's own form, so that an export keeps its ids in a real deployment: the table's number as a
 * variable-length integer, 16 bytes, and a Fletcher-16 checksum, as 31 to 37 characters of Crockford's base 32.
 */
import { randomFillSync } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const INTERNAL_BYTES = 16;
const TIME_BYTES = 8;

/**
 * A fresh id. It begins with the time: ids of a table are in the order of creation, and rows that are written together
 * lie together in their index.
 * @param creationTime milliseconds, to the microsecond
 */
export function newId(tableNumber: number, creationTime: number): string {
  const internal = Buffer.alloc(INTERNAL_BYTES);
  internal.writeBigUInt64BE(BigInt(Math.round(creationTime * 1000)));
  randomFillSync(internal, TIME_BYTES);
  return encodeId(tableNumber, internal);
}

export function encodeId(tableNumber: number, internal: Uint8Array): string {
  const body = Buffer.concat([Uint8Array.from(variableLength(tableNumber)), internal]);
  return toBase32(Buffer.concat([body, checksum(body)]));
}

/** @returns the number of the table that the id belongs to, or null when it is no id at all */
export function tableNumberOf(id: string): number | null {
  const bytes = fromBase32(id);
  if (bytes === null) return null;
  let [number, at] = [0, 0];
  for (let more = true; more; at++) {
    const byte = bytes[at];
    if (byte === undefined || at > 4) return null;
    number += (byte & 0x7f) * 2 ** (at * 7);
    more = byte >= 0x80;
  }
  const body = bytes.subarray(0, at + INTERNAL_BYTES);
  return Buffer.compare(checksum(body), bytes.subarray(at + INTERNAL_BYTES)) === 0 ? number : null;
}

function variableLength(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...variableLength(value >>> 7)];
}

function checksum(bytes: Uint8Array): Uint8Array {
  let [first, second] = [0, 0];
  for (const byte of bytes) {
    first = (first + byte) & 0xff;
    second = (second + first) & 0xff;
  }
  return Uint8Array.of(first, second);
}

function toBase32(bytes: Uint8Array): string {
  let [text, bits, count] = ['', 0, 0];
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xfff;
    count += 8;
    for (; count >= 5; count -= 5) text += ALPHABET.charAt((bits >>> (count - 5)) & 31);
  }
  return count > 0 ? text + ALPHABET.charAt((bits << (5 - count)) & 31) : text;
}

function fromBase32(text: string): Uint8Array | null {
  if (text.length < 31 || text.length > 37) return null;
  const bytes: number[] = [];
  let [bits, count] = [0, 0];
  for (const letter of text) {
    const digit = ALPHABET.indexOf(letter);
    if (digit < 0) return null;
    bits = ((bits << 5) | digit) & 0xfff;
    count += 5;
    if (count >= 8) {
      count -= 8;
      bytes.push((bits >>> count) & 0xff);
    }
  }
  // What is left over is padding.
  return (bits & ((1 << count) - 1)) === 0 ? Uint8Array.from(bytes) : null;
}

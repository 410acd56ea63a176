/** Convex's documented limits: what one transaction, one document and one call may be. */
import { getDocumentSize } from 'convex/values';
import type { JSONValue } from 'convex/values';
import type { Document } from './values.ts';

const MIB = 1024 * 1024;

const LIMITS = {
  documentsRead: [32_000, 'documents read'],
  bytesRead: [16 * MIB, 'bytes read'],
  ranges: [4_096, 'index ranges read'],
  documentsWritten: [16_000, 'documents written'],
  bytesWritten: [16 * MIB, 'bytes written'],
  scheduled: [1_000, 'functions scheduled'],
  scheduledBytes: [16 * MIB, 'bytes of arguments scheduled'],
} as const;

export type Usage = Record<keyof typeof LIMITS, number>;

export const unused = (): Usage => ({
  documentsRead: 0,
  bytesRead: 0,
  ranges: 0,
  documentsWritten: 0,
  bytesWritten: 0,
  scheduled: 0,
  scheduledBytes: 0,
});

/** Counts what a transaction does. @throws Error when that is more than Convex lets one do */
export function spend(usage: Usage, what: keyof Usage, amount: number): void {
  usage[what] += amount;
  const [most, words] = LIMITS[what];
  if (usage[what] > most)
    throw new Error(`Too many ${words} in a single function execution (limit: ${most}).`);
}

const MAX_DOCUMENT_BYTES = MIB;
const MAX_DEPTH = 64;
const MAX_ELEMENTS = 8_192;
const MAX_FIELDS = 1_024;
const MAX_VALUE_BYTES = 16 * MIB;

/**
 * @param json the document in its encoded form
 * @returns its size as Convex counts it
 * @throws Error when no document may be like this
 */
export function checkDocument(document: Document, json: JSONValue): number {
  const size = getDocumentSize(document);
  if (size > MAX_DOCUMENT_BYTES) {
    throw new Error(`Value is too large (${size} bytes > maximum size ${MAX_DOCUMENT_BYTES} bytes).`);
  }
  checkShape(json, 1);
  return size;
}

function checkShape(value: JSONValue, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > MAX_DEPTH) throw new Error(`Value is too deeply nested (maximum nesting ${MAX_DEPTH}).`);
  const members = Object.values(value);
  if (Array.isArray(value) && members.length > MAX_ELEMENTS) {
    throw new Error(`Array length is too long (${members.length} > maximum length ${MAX_ELEMENTS}).`);
  }
  if (!Array.isArray(value) && members.length > MAX_FIELDS) {
    throw new Error(`Object has too many fields (${members.length} > maximum number ${MAX_FIELDS}).`);
  }
  for (const member of members) checkShape(member, depth + 1);
}

/** @param text arguments or a return value as JSON. @throws Error when it is more than a function may take or give */
export function checkCallSize(text: string, what: 'arguments' | 'return value'): void {
  if (Buffer.byteLength(text) > MAX_VALUE_BYTES) {
    throw new Error(`The function's ${what} are over ${MAX_VALUE_BYTES} bytes.`);
  }
}

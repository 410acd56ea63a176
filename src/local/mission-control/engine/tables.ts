import { convexToJson, jsonToConvex } from 'convex/values';
import type { JSONValue, ValidatorJSON } from 'convex/values';
import { encodeKey } from './keys.ts';
import { fieldAt, type Document } from './values.ts';

export interface Index {
  number: number;
  name: string;
  /** With the fields that make every key different: `_creationTime` and `_id`. */
  fields: readonly string[];
}

export interface Table {
  number: number;
  name: string;
  document: ValidatorJSON | null;
  indexes: ReadonlyMap<string, Index>;
}

/** Part of an index: from a key on, up to before another. */
export interface Range {
  index: number;
  from: Uint8Array;
  to: Uint8Array;
}

/** An index entry that a write made, removed, or changed the document of. */
export interface Touch {
  index: number;
  key: Uint8Array;
}

/** The one entry of a document in the index by id. */
export function pointOf(table: Table, id: string): Range {
  const key = encodeKey([id]);
  return {
    index: requireIndex(table, 'by_id').number,
    from: key,
    to: Buffer.concat([key, Uint8Array.of(0)]),
  };
}

/** @throws Error when schema.ts does not declare it */
export function requireIndex(table: Table, name: string): Index {
  const index = table.indexes.get(name);
  if (index) return index;
  throw new Error(`Index ${table.name}.${name} not found: it is not declared in schema.ts.`);
}

/** A document's key in an index. */
export const keyOf = (index: Index, document: Document): Uint8Array =>
  encodeKey(index.fields.map((path) => fieldAt(document, path)));

/** All entries of a document. */
export const touchesOf = (table: Table, document: Document): Touch[] =>
  Array.from(table.indexes.values(), (index) => ({ index: index.number, key: keyOf(index, document) }));

export const parseDocument = (text: string): Document =>
  jsonToConvex(JSON.parse(text) as JSONValue) as Document;

export const textOf = (document: Document): string => JSON.stringify(convexToJson(document));

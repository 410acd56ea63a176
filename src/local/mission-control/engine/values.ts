import type { JSONValue, Value } from 'convex/values';

/** A document or a part of one. */
export type Fields = Record<string, Value>;

export type Document = Fields & { _id: string; _creationTime: number };

export const isFields = (value: Value | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ArrayBuffer);

/** The value at a path such as `runtimeConfig.lastHealthCheck`, or undefined. */
export function fieldAt(document: Fields, path: string): Value | undefined {
  let value: Value | undefined = document;
  for (const name of path.split('.')) value = isFields(value) ? value[name] : undefined;
  return value;
}

export function withoutSystemFields({ _id, _creationTime, ...fields }: Document): Fields {
  return fields;
}

/** The members of an encoded object; none of what is no object. */
export const membersOf = (json: JSONValue): [string, JSONValue][] =>
  typeof json === 'object' && json !== null && !Array.isArray(json) ? Object.entries(json) : [];

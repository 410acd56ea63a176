/** JSON as it is merged into OpenClaw's configuration. */
export type Json = null | boolean | number | string | Json[] | JsonObject;

export interface JsonObject {
  [key: string]: Json;
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `over` wins; objects are merged, lists are taken whole. Neither argument is changed. */
export function merge(under: JsonObject, over: JsonObject): JsonObject {
  const result: JsonObject = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = Object.hasOwn(under, key) ? under[key] : undefined;
    result[key] = isObject(value) && isObject(below) ? merge(below, value) : value;
  }
  return result;
}

/** @returns the value at the end of the path; undefined where the path leads nowhere */
export function at(object: JsonObject, ...path: string[]): Json | undefined {
  let here: Json | undefined = object;
  for (const key of path) here = isObject(here) && Object.hasOwn(here, key) ? here[key] : undefined;
  return here;
}

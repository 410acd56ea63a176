import { ConvexError, convexToJson, jsonToConvex } from 'convex/values';
import type { JSONValue, Value } from 'convex/values';

const isConvexError = (error: unknown): error is ConvexError<Value> =>
  error instanceof Error && Symbol.for('ConvexError') in error;

/** A function's error as it was thrown: the `convex` package hands over the data of a ConvexError as JSON text. */
export function asThrown(error: unknown): unknown {
  if (!isConvexError(error) || typeof error.data !== 'string') return error;
  error.data = jsonToConvex(JSON.parse(error.data) as JSONValue);
  return error;
}

/** An error as the `convex` package wants it from a call that a function made: data in its JSON form. */
export function forCaller(error: unknown): unknown {
  if (!isConvexError(error)) return error;
  return Object.assign(new Error(error.message), { data: convexToJson(error.data) });
}

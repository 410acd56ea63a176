/** The HTTP function API of Convex, as a stock ConvexHttpClient speaks it. */
import { randomUUID } from 'node:crypto';
import { ConvexError, convexToJson, jsonToConvex } from 'convex/values';
import type { JSONValue, Value } from 'convex/values';
import * as v from 'valibot';
import type { Call } from './engine/engine.ts';
import type { FunctionKind } from './engine/functions.ts';
import { HttpProblem } from './problem.ts';

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const args = v.custom<Record<string, JSONValue>>(isObject, 'args must hold one object');

const envelope = v.object({
  path: v.pipe(
    v.string(),
    v.regex(/^[\w/.-]+(:\w+)?$/, 'path is not a function path like "module:function"'),
  ),
  format: v.optional(v.literal('convex_encoded_json')),
  args: v.union([v.strictTuple([args]), args], 'args must hold one object'),
});

export type FunctionReply =
  | { status: 'success'; value: JSONValue; logLines: string[] }
  | { status: 'error'; errorMessage: string; errorData?: JSONValue; logLines: string[] };

/** @throws HttpProblem 400 when it is not a function call */
export function readCall(kind: FunctionKind, json: unknown): Call {
  const parsed = v.safeParse(envelope, json);
  if (!parsed.success) throw new HttpProblem(400, 'BadJsonBody', parsed.issues[0].message);
  const { path, args: given } = parsed.output;
  const encoded = Array.isArray(given) ? given[0] : given;
  try {
    jsonToConvex(encoded);
  } catch (error) {
    throw new HttpProblem(400, 'BadConvexJson', 'The arguments are not Convex-encoded JSON.', {
      cause: error,
    });
  }
  return { kind, path, args: encoded };
}

/** @throws HttpProblem 400 */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new HttpProblem(400, 'BadJsonBody', 'The body is not JSON.', { cause: error });
  }
}

export const successReply = (value: JSONValue): FunctionReply => ({
  status: 'success',
  value,
  logLines: [],
});

/** A function's error the way a development deployment tells it, without a stack. */
export function errorReply(call: Pick<Call, 'kind' | 'path'>, error: unknown): FunctionReply {
  const name = error instanceof Error ? error.name : 'Error';
  const message = error instanceof Error ? error.message : String(error);
  const where = `[CONVEX ${call.kind.charAt(0).toUpperCase()}(${call.path})]`;
  const requestId = `[Request ID: ${randomUUID().slice(0, 16).replaceAll('-', '')}]`;
  return {
    status: 'error',
    errorMessage: `${where} ${requestId} Server Error\nUncaught ${name}: ${message}`,
    ...(isConvexError(error) && { errorData: convexToJson(error.data) }),
    logLines: [],
  };
}

export const isConvexError = (error: unknown): error is ConvexError<Value> => error instanceof ConvexError;

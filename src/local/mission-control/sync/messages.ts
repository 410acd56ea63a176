/** Convex's sync protocol, as far as a stock ConvexClient that only subscribes speaks it. */
import type { JSONValue } from 'convex/values';
import * as v from 'valibot';

const version = v.pipe(v.number(), v.integer());

const modification = v.variant('type', [
  v.object({
    type: v.literal('Add'),
    queryId: v.number(),
    udfPath: v.string(),
    args: v.array(v.unknown()),
  }),
  v.object({ type: v.literal('Remove'), queryId: v.number() }),
]);

const clientMessage = v.variant('type', [
  v.object({ type: v.literal('Connect') }),
  v.object({
    type: v.literal('ModifyQuerySet'),
    baseVersion: version,
    newVersion: version,
    modifications: v.array(modification),
  }),
  v.object({ type: v.literal('Authenticate'), baseVersion: version }),
  v.object({ type: v.literal('Mutation') }),
  v.object({ type: v.literal('Action') }),
  v.object({ type: v.literal('Event') }),
]);

export type ClientMessage = v.InferOutput<typeof clientMessage>;

/** @returns null when it is none */
export function parseClientMessage(text: string): ClientMessage | null {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), clientMessage), text);
  return parsed.success ? parsed.output : null;
}

/** What a client knows after a transition; it takes the next one only from just there. */
export interface StateVersion {
  querySet: number;
  /** A 64-bit number of nanoseconds, little endian, as base64. */
  ts: string;
  identity: number;
}

export type StateModification =
  | { type: 'QueryUpdated'; queryId: number; value: JSONValue; logLines: string[]; journal: null }
  | {
      type: 'QueryFailed';
      queryId: number;
      errorMessage: string;
      errorData?: JSONValue;
      logLines: string[];
      journal: null;
    }
  | { type: 'QueryRemoved'; queryId: number };

export type ServerMessage =
  | {
      type: 'Transition';
      startVersion: StateVersion;
      endVersion: StateVersion;
      modifications: StateModification[];
    }
  | { type: 'FatalError'; error: string }
  | { type: 'Ping' };

export function encodeTimestamp(nanoseconds: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(nanoseconds);
  return bytes.toString('base64');
}

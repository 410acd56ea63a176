/** Convex's sync protocol, as a stock ConvexClient speaks it. */
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

const functionCall = { requestId: version, udfPath: v.string(), args: v.array(v.unknown()) };

const clientMessage = v.variant('type', [
  v.object({ type: v.literal('Connect'), sessionId: v.pipe(v.string(), v.maxLength(100)) }),
  v.object({
    type: v.literal('ModifyQuerySet'),
    baseVersion: version,
    newVersion: version,
    modifications: v.array(modification),
  }),
  v.object({
    type: v.literal('Authenticate'),
    baseVersion: version,
    tokenType: v.picklist(['User', 'Admin', 'None']),
  }),
  v.object({ type: v.literal('Mutation'), ...functionCall }),
  v.object({ type: v.literal('Action'), ...functionCall }),
  v.object({ type: v.literal('Event') }),
]);

export type ClientMessage = v.InferOutput<typeof clientMessage>;
export type MessageOf<T extends ClientMessage['type']> = Extract<ClientMessage, { type: T }>;

/** @returns null when it is none */
export function parseClientMessage(text: string): ClientMessage | null {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), clientMessage), text);
  return parsed.success ? parsed.output : null;
}

/**
 * The versions that a client has after a transition. It only takes a next transition that begins with exactly these.
 */
export interface StateVersion {
  querySet: number;
  /** A 64-bit number of nanoseconds, little endian, as base64. */
  ts: string;
  identity: number;
}

interface Failure {
  errorMessage: string;
  errorData?: JSONValue;
}

export type StateModification =
  | { type: 'QueryUpdated'; queryId: number; value: JSONValue; logLines: string[]; journal: null }
  | ({ type: 'QueryFailed'; queryId: number; logLines: string[]; journal: null } & Failure)
  | { type: 'QueryRemoved'; queryId: number };

/**
 * A mutation's success also says when it was committed. The client waits until it has received everything up to that
 * time.
 */
type Answer = { requestId: number; logLines: string[] } & (
  | { success: true; result: JSONValue; ts?: string }
  | { success: false; result: string; errorData?: JSONValue }
);

export type ServerMessage =
  | {
      type: 'Transition';
      startVersion: StateVersion;
      endVersion: StateVersion;
      modifications: StateModification[];
    }
  | ({ type: 'MutationResponse' | 'ActionResponse' } & Answer)
  | { type: 'AuthError'; error: string; baseVersion: number; authUpdateAttempted: boolean }
  | { type: 'FatalError'; error: string }
  | { type: 'Ping' };

export function encodeTimestamp(nanoseconds: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(nanoseconds);
  return bytes.toString('base64');
}

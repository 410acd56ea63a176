import { randomUUID } from 'node:crypto';
import type { Call, Engine } from '../engine/engine.ts';
import { touchesAny } from '../engine/reads.ts';
import type { Range, Touch } from '../engine/tables.ts';
import { errorReply, readCall, successReply, type FunctionReply } from '../wire.ts';
import { encodeTimestamp } from './messages.ts';
import type { ClientMessage, MessageOf, ServerMessage, StateModification, StateVersion } from './messages.ts';

interface Query {
  /** null when the message was no valid call; then its failure stays the result. */
  call: Call | null;
  /** What it read when it ran last. */
  reads: readonly Range[];
  /** The last modification that the client was sent, as JSON. */
  sent: string;
}

export interface Session {
  /** Takes messages one by one, in their order. */
  receive(message: ClientMessage): void;
  /** Takes note of a commit. */
  note(touches: readonly Touch[]): void;
  /** Runs the queries again whose rows a noted commit touched, and sends the results that changed. */
  refresh(): void;
}

/** What the sync protocol needs of an engine. */
export type SyncSource = Pick<Engine, 'snapshot' | 'call' | 'callOnce' | 'onCommit'>;

type RunQuery = Parameters<Parameters<SyncSource['snapshot']>[0]>[0];
type Change = MessageOf<'ModifyQuerySet'>['modifications'][number];

/** One client: its queries, and how far it has been told. */
export function createSession(engine: SyncSource, send: (message: ServerMessage) => void): Session {
  const queries = new Map<number, Query>();
  let version: StateVersion = { querySet: 0, ts: encodeTimestamp(0n), identity: 0 };
  let sessionId: string = randomUUID();
  let tail = Promise.resolve();
  let noted: Touch[] = [];

  function move(to: Partial<StateVersion>, modifications: StateModification[]): void {
    const startVersion = version;
    version = { ...version, ...to };
    send({ type: 'Transition', startVersion, endVersion: version, modifications });
  }

  /** @returns null when the result has not changed */
  async function update(queryId: number, query: Query, run: RunQuery): Promise<StateModification | null> {
    if (query.call === null) return null;
    const { result, reads } = await run(query.call);
    query.reads = reads;
    const reply =
      result.status === 'fulfilled' ? successReply(result.value) : errorReply(query.call, result.reason);
    return ifNew(query, modificationOf(queryId, reply));
  }

  /** Brings the client to the present. All results of its queries belong to one commit. */
  async function tell(changes: readonly Change[], to: Partial<StateVersion> | null): Promise<void> {
    const { at, value: told } = await engine.snapshot(async (run) => {
      const [touches, modifications] = [noted, [] as (StateModification | null)[]];
      noted = [];
      for (const change of changes) modifications.push(await apply(change, run));
      for (const [queryId, query] of queries) {
        if (touchesAny(query.reads, touches)) modifications.push(await update(queryId, query, run));
      }
      return modifications.filter(isThere);
    });
    if (to !== null || told.length > 0) move({ ...to, ts: encodeTimestamp(at) }, told);
  }

  async function apply(change: Change, run: RunQuery): Promise<StateModification | null> {
    const { queryId } = change;
    if (change.type === 'Add') return await add(queryId, change.udfPath, change.args[0], run);
    queries.delete(queryId);
    return { type: 'QueryRemoved', queryId };
  }

  async function add(queryId: number, path: string, args: unknown, run: RunQuery) {
    const query: Query = { call: null, reads: [], sent: '' };
    queries.set(queryId, query);
    try {
      query.call = readCall('query', { path, args: [args] });
    } catch (error) {
      return ifNew(query, modificationOf(queryId, errorReply({ kind: 'query', path }, error)));
    }
    return await update(queryId, query, run);
  }

  /** Sent again after a reconnect, it is answered as before and not done twice. */
  async function mutate({ requestId: request, udfPath, args }: MessageOf<'Mutation'>): Promise<void> {
    const answer = { type: 'MutationResponse', requestId: request, logLines: [] as string[] } as const;
    try {
      const call = readCall('mutation', { path: udfPath, args });
      const { value, at } = await engine.callOnce(call, { session: sessionId, request });
      send({ ...answer, success: true, result: value, ts: encodeTimestamp(at) });
      // The client waits to be told of all that its mutation did, even if that is nothing.
      await tell([], {});
    } catch (error) {
      send({ ...answer, success: false, ...failureOf({ kind: 'mutation', path: udfPath }, error) });
    }
  }

  async function act({ requestId, udfPath, args }: MessageOf<'Action'>): Promise<void> {
    const answer = { type: 'ActionResponse', requestId, logLines: [] as string[] } as const;
    try {
      const result = await engine.call(readCall('action', { path: udfPath, args }));
      send({ ...answer, success: true, result });
    } catch (error) {
      send({ ...answer, success: false, ...failureOf({ kind: 'action', path: udfPath }, error) });
    }
  }

  async function modify({ baseVersion, newVersion, modifications }: MessageOf<'ModifyQuerySet'>) {
    if (baseVersion === version.querySet) await tell(modifications, { querySet: newVersion });
    else send({ type: 'FatalError', error: `Base version ${baseVersion} is not ${version.querySet}.` });
  }

  function authenticate({ baseVersion, tokenType }: MessageOf<'Authenticate'>): void {
    if (tokenType === 'None') move({ identity: baseVersion + 1 }, []);
    else send({ type: 'AuthError', error: NO_SIGN_IN, baseVersion, authUpdateAttempted: true });
  }

  async function take(message: ClientMessage): Promise<void> {
    if (message.type === 'Connect') ({ sessionId } = message);
    else if (message.type === 'ModifyQuerySet') await modify(message);
    else if (message.type === 'Authenticate') authenticate(message);
    else if (message.type === 'Mutation') await mutate(message);
    // An action may take minutes, so the other messages do not wait for it.
    else if (message.type === 'Action') void act(message);
  }

  return {
    receive: (message) => void (tail = tail.then(() => take(message))),
    note: (touches) => void noted.push(...touches),
    refresh() {
      tail = tail.then(async () => {
        if ([...queries.values()].some(({ reads }) => touchesAny(reads, noted))) await tell([], null);
        else noted = [];
      });
    },
  };
}

const NO_SIGN_IN = 'The local Mission Control has no sign-in: connect without a token.';

const isThere = (modification: StateModification | null): modification is StateModification =>
  modification !== null;

function ifNew(query: Query, modification: StateModification): StateModification | null {
  const json = JSON.stringify(modification, (key, value: unknown) =>
    // It is a different one each time.
    key === 'errorMessage' ? String(value).replace(/\[Request ID: \w+\]/, '') : value,
  );
  if (json === query.sent) return null;
  query.sent = json;
  return modification;
}

function modificationOf(queryId: number, reply: FunctionReply): StateModification {
  const { logLines } = reply;
  if (reply.status === 'success') {
    return { type: 'QueryUpdated', queryId, value: reply.value, logLines, journal: null };
  }
  const { errorMessage, errorData } = reply;
  return {
    type: 'QueryFailed',
    queryId,
    errorMessage,
    ...(errorData !== undefined && { errorData }),
    logLines,
    journal: null,
  };
}

function failureOf(call: Pick<Call, 'kind' | 'path'>, error: unknown) {
  const reply = errorReply(call, error);
  const { errorMessage: result, errorData } = reply.status === 'error' ? reply : { errorMessage: '' };
  return { result, ...(errorData !== undefined && { errorData }) };
}

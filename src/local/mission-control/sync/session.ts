import type { FunctionReply } from '../wire.ts';
import { encodeTimestamp } from './messages.ts';
import type { ClientMessage, ServerMessage, StateModification, StateVersion } from './messages.ts';

/** A query as it stands: what came of it, and the tables that it read. */
export interface QueryRun {
  reply: FunctionReply;
  tables: ReadonlySet<string>;
}

/** @param args as they came; what is no object fails */
export type RunQuery = (path: string, args: unknown) => Promise<QueryRun>;

interface Query {
  path: string;
  args: unknown;
  tables: ReadonlySet<string>;
  /** The last modification that the client was sent, as JSON. */
  sent: string;
}

export interface Session {
  /** Takes messages one by one, in their order. */
  receive(message: ClientMessage): void;
  /** Runs the queries again that read one of these tables, and tells of those that came out differently. */
  refresh(tables: ReadonlySet<string>): void;
}

/** One client: its queries, and how far it has been told. */
export function createSession(
  run: RunQuery,
  now: () => bigint,
  send: (message: ServerMessage) => void,
): Session {
  const queries = new Map<number, Query>();
  let version: StateVersion = { querySet: 0, ts: encodeTimestamp(0n), identity: 0 };
  let tail = Promise.resolve();

  function move(to: Partial<StateVersion>, modifications: StateModification[]): void {
    const startVersion = version;
    version = { ...version, ts: encodeTimestamp(now()), ...to };
    send({ type: 'Transition', startVersion, endVersion: version, modifications });
  }
  /** @returns null when it came out as before */
  async function update(queryId: number, query: Query): Promise<StateModification | null> {
    const { reply, tables } = await run(query.path, query.args);
    query.tables = tables;
    const modification = modificationOf(queryId, reply);
    const json = JSON.stringify(modification);
    if (json === query.sent) return null;
    query.sent = json;
    return modification;
  }
  async function modify(message: Extract<ClientMessage, { type: 'ModifyQuerySet' }>): Promise<void> {
    const { baseVersion, newVersion, modifications } = message;
    if (baseVersion !== version.querySet) {
      send({ type: 'FatalError', error: `Base version ${baseVersion} is not ${version.querySet}.` });
      return;
    }
    const told: (StateModification | null)[] = [];
    for (const change of modifications) {
      const { queryId } = change;
      if (change.type === 'Remove') {
        queries.delete(queryId);
        told.push({ type: 'QueryRemoved', queryId });
      } else {
        const query = { path: change.udfPath, args: change.args[0], tables: new Set<string>(), sent: '' };
        queries.set(queryId, query);
        told.push(await update(queryId, query));
      }
    }
    move({ querySet: newVersion }, told.filter(isThere));
  }
  async function take(message: ClientMessage): Promise<void> {
    if (message.type === 'ModifyQuerySet') await modify(message);
    else if (message.type === 'Authenticate') move({ identity: message.baseVersion + 1 }, []);
    else if (message.type === 'Mutation' || message.type === 'Action') {
      send({ type: 'FatalError', error: 'Mutations and actions are taken over HTTP only.' });
    }
  }
  async function rerun(tables: ReadonlySet<string>): Promise<void> {
    const told: (StateModification | null)[] = [];
    for (const [queryId, query] of queries) {
      if ([...tables].some((table) => query.tables.has(table))) told.push(await update(queryId, query));
    }
    if (told.some(isThere)) move({}, told.filter(isThere));
  }
  return {
    receive: (message) => void (tail = tail.then(() => take(message))),
    refresh: (tables) => void (tail = tail.then(() => rerun(tables))),
  };
}

const isThere = (modification: StateModification | null): modification is StateModification =>
  modification !== null;

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

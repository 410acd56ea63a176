/**
 * The sessions and who is next: pure data, which delivery changes with these functions alone. They are sorted arrays,
 * because a change copies them: with a thousand sessions that is a hundred times as quick as copying a record.
 */
import type { AgentRow } from '../shared/mission-control.ts';
import type { PageRow } from './context.ts';
import type { Limits } from './scopes.ts';
import { firstWhere, without, withOne } from './sorted.ts';

/** What a session has to do: a notification, or a heartbeat of its agent. */
export type Item =
  | ({ kind: 'notification' } & PageRow)
  | {
      kind: 'beat';
      agent: AgentRow;
      /** What its earlier beats were about. */
      seen: readonly string[];
      dueAt: number;
    };

/** Where a session's head stands. */
export type Phase =
  /** No actor is alive for it. */
  | 'waiting'
  /** Its actor reads the context. */
  | 'preparing'
  /** Its actor waits for a slot. */
  | 'ready'
  /** Its run is open: it has a slot. */
  | 'running'
  /** It waits with backoff. */
  | 'resting'
  /** Its run is over: the reply is on its way. */
  | 'answering'
  /** It has nothing to do, and keeps its place until the next list. */
  | 'empty';

export interface Session {
  key: string;
  agentId: string;
  phase: Phase;
  /** Oldest first. The head is the one that an actor is alive for, or will be next. */
  items: readonly Item[];
  /** The id of its head's actor: a small number (docs/adr/0012); null while none is alive. */
  actorId: string | null;
  /** Its run is to go out while no other is open. */
  alone: boolean;
  /** The time of the oldest row that it handed back: a thread in which people write all the time must get its turn. */
  waitingSince: number | null;
}

export interface Queue {
  /** By key. */
  sessions: readonly Session[];
  /** Sessions by the age of their head, oldest first. */
  waiting: readonly Session[];
  ready: readonly Session[];
  counts: Readonly<Record<Phase, number>>;
  /** Actor ids that are free again: with those in use they are the numbers from 0 on, without a gap. */
  freed: readonly string[];
  /** Actor ids that were ever in use. */
  ids: number;
}

export const EMPTY_QUEUE: Queue = {
  sessions: [],
  waiting: [],
  ready: [],
  counts: { waiting: 0, preparing: 0, ready: 0, running: 0, resting: 0, answering: 0, empty: 0 },
  freed: [],
  ids: 0,
};

export const itemId = (item: Item): string =>
  item.kind === 'notification' ? item.row._id : `beat:${item.agent._id}`;

/** Since when the item waits: Convex's clock for a row, ours for a beat. */
export const itemTime = (item: Item): number =>
  item.kind === 'notification' ? item.row.createdAt : item.dueAt;

const agentOf = (item: Item): string =>
  item.kind === 'notification' ? item.row.recipientId : item.agent._id;

/**
 * The session that an item belongs to. Rows do not carry their session key; Convex opens one session per agent and
 * task, and one per agent for all without a task (docs/contract.md#sessions).
 */
export const sessionKey = (item: Item): string =>
  `${agentOf(item)}/${(item.kind === 'notification' ? item.row.taskId : undefined) ?? 'system'}`;

export function sessionOf({ sessions }: Queue, key: string): Session | undefined {
  const session = sessions[indexFor(sessions, key)];
  return session?.key === key ? session : undefined;
}

export const sessionWith = ({ sessions }: Queue, actorId: string): Session | undefined =>
  sessions.find((session) => session.actorId === actorId);

/** The ids of the actors that are alive. */
export const actorIds = ({ sessions }: Queue): string[] => sessions.flatMap(({ actorId }) => actorId ?? []);

const isAlive = ({ actorId }: Session): boolean => actorId !== null;

export function enqueue(queue: Queue, item: Item): Queue {
  const key = sessionKey(item);
  const session = sessionOf(queue, key) ?? {
    key,
    agentId: agentOf(item),
    phase: 'empty',
    items: [],
    actorId: null,
    alone: false,
    waitingSince: null,
  };
  if (session.items.some((known) => itemId(known) === itemId(item))) return queue;
  // The head that an actor is alive for stays where it is, whatever comes in.
  const held = isAlive(session) ? 1 : 0;
  const behind = [...session.items.slice(held), item].sort((a, b) => itemTime(a) - itemTime(b));
  const items = [...session.items.slice(0, held), ...behind];
  return put(queue, { ...session, phase: isAlive(session) ? session.phase : 'waiting', items });
}

/** Takes a page of rows in, without those that are known or not to be taken. */
export function enqueuePage(queue: Queue, page: readonly Item[], leaveOut: ReadonlySet<string>): Queue {
  const known = new Set(leaveOut);
  for (const id of knownIds(queue)) known.add(id);
  return page.filter((item) => !known.has(itemId(item))).reduce(enqueue, queue);
}

/** An actor starts for the head. */
export function start(queue: Queue, key: string): Queue {
  const session = sessionOf(queue, key);
  if (session === undefined) return queue;
  const reused = queue.freed.at(-1);
  const actorId = reused ?? String(queue.ids);
  const next = put(queue, { ...session, phase: 'preparing', actorId });
  return reused === undefined
    ? { ...next, ids: queue.ids + 1 }
    : { ...next, freed: queue.freed.slice(0, -1) };
}

export function setPhase(queue: Queue, key: string, phase: Phase): Queue {
  const session = sessionOf(queue, key);
  return session === undefined || !isAlive(session) ? queue : put(queue, { ...session, phase });
}

/** The head waits for a slot. */
export function setReady(queue: Queue, key: string, alone: boolean): Queue {
  const session = sessionOf(queue, key);
  return session === undefined || !isAlive(session)
    ? queue
    : put(queue, { ...session, phase: 'ready', alone });
}

/** The head is over. */
export const settle = (queue: Queue, key: string): Queue =>
  endHead(queue, key, ({ items }) => ({ items: items.slice(1), waitingSince: null }));

/**
 * The head goes back to Convex, and so do the notifications behind it: the next list brings them all in their order.
 * Beats are ours alone, and stay. The session keeps its place.
 */
export const handBack = (queue: Queue, key: string): Queue =>
  endHead(queue, key, ({ items: [head, ...behind], waitingSince }) => ({
    items: behind.filter(({ kind }) => kind === 'beat'),
    waitingSince: head === undefined ? null : Math.min(waitingSince ?? Infinity, itemTime(head)),
  }));

function endHead(
  queue: Queue,
  key: string,
  change: (session: Session) => Pick<Session, 'items' | 'waitingSince'>,
): Queue {
  const session = sessionOf(queue, key);
  if (session === undefined) return queue;
  const { items, waitingSince } = change(session);
  const freed = session.actorId === null ? queue.freed : [...queue.freed, session.actorId];
  const next: Session = {
    ...session,
    items,
    waitingSince,
    actorId: null,
    alone: false,
    phase: items.length === 0 ? 'empty' : 'waiting',
  };
  const isOver = items.length === 0 && waitingSince === null;
  return { ...(isOver ? remove(queue, session) : put(queue, next)), freed };
}

/** Sessions that want a slot or have one, without those that wait for a limit of their agent. */
export const countWanted = ({ sessions }: Queue, limits: ReadonlyMap<string, number>): number =>
  sessions.filter(
    ({ phase, agentId }) =>
      phase === 'running' ||
      (!limits.has(agentId) && (phase === 'ready' || phase === 'preparing' || phase === 'waiting')),
  ).length;

/** Sessions whose rows did not come back with the list lose their places. */
export const removeEmpty = (queue: Queue): Queue =>
  queue.counts.empty === 0
    ? queue
    : queue.sessions.filter(({ phase }) => phase === 'empty').reduce(remove, queue);

/** Leaves to Convex what was not begun. */
export function emptyQueue(queue: Queue): Queue {
  const begun = queue.sessions
    .filter(isAlive)
    .reduce((left, session) => put(left, { ...session, items: session.items.slice(0, 1) }), queue);
  return begun.sessions.filter((session) => !isAlive(session)).reduce(remove, begun);
}

/**
 * The session that gets the next actor: the oldest, while fewer than `window` actors wait for a slot. An agent that has
 * no such actor may always start one, so that no agent keeps the others out. An agent whose runs are limited gets only
 * that one.
 */
export function nextToStart(queue: Queue, window: number, limits: Limits = null): Session | null {
  const { waiting, sessions, counts } = queue;
  const [oldest] = waiting;
  if (oldest === undefined) return null;
  if (limits === null && counts.preparing + counts.ready < window) return oldest;
  const ahead = sessions.filter(({ phase }) => phase === 'preparing' || phase === 'ready');
  const agents = new Set(ahead.map(({ agentId }) => agentId));
  const isFull = ahead.filter(({ agentId }) => limits?.has(agentId) !== true).length >= window;
  const mayStart = ({ agentId }: Session): boolean =>
    !agents.has(agentId) || (!isFull && limits?.has(agentId) !== true);
  return waiting.find(mayStart) ?? null;
}

/** Agents that may not run, by id. */
type AgentIds = Readonly<Record<string, unknown>>;

/** The session that gets the next slot: the oldest that need not be alone and whose agent may have one more run open. */
export function nextToRun({ ready, sessions }: Queue, limits: Limits): Session | null {
  const open = (agent: string): number =>
    sessions.filter(({ agentId, phase }) => agentId === agent && phase === 'running').length;
  const mayRun = ({ agentId, alone }: Session): boolean =>
    !alone && (limits === null || open(agentId) < (limits.get(agentId) ?? Infinity));
  return ready.find(mayRun) ?? null;
}

/** The oldest session whose run is to go out alone. */
export const nextAlone = ({ ready }: Queue, outOfTokens: AgentIds = {}): Session | null =>
  ready.find(({ alone, agentId }) => alone && outOfTokens[agentId] === undefined) ?? null;

/** Contexts that came with the list are too old for a run by now. */
export const forgetContexts = (queue: Queue): Queue =>
  queue.waiting
    .filter(({ items }) => items.some((item) => item.kind === 'notification' && item.given !== null))
    .reduce(
      (left, session) =>
        put(left, {
          ...session,
          items: session.items.map((item) =>
            item.kind === 'notification' ? { ...item, given: null } : item,
          ),
        }),
      queue,
    );

/** The rows at the heads of the sessions: they have the slots, or will have them next. */
export const headIds = ({ sessions }: Pick<Queue, 'sessions'>): string[] =>
  sessions.flatMap(({ items: [head] }) => (head?.kind === 'notification' ? [itemId(head)] : []));

/** What is finished even when the runtime leaves: its run is open, or over. */
export const openIds = ({ sessions }: Queue): string[] =>
  headIds({ sessions: sessions.filter(({ phase }) => phase === 'running' || phase === 'answering') });

export function* knownIds({ sessions }: Queue): Generator<string> {
  for (const { items } of sessions) for (const item of items) yield itemId(item);
}

/** Items whose run is neither open nor over. */
export const countQueued = ({ sessions, counts }: Queue): number =>
  sessions.reduce((sum, { items }) => sum + items.length, 0) - counts.running - counts.answering;

function remove(queue: Queue, { key }: Session): Queue {
  const session = sessionOf(queue, key);
  if (session === undefined) return queue;
  return {
    ...relist(without, queue, session),
    sessions: queue.sessions.toSpliced(indexFor(queue.sessions, key), 1),
    counts: count(queue.counts, session.phase, -1),
  };
}

/** In place of the session of that key, or new. */
function put(queue: Queue, session: Session): Queue {
  const at = indexFor(queue.sessions, session.key);
  const before = queue.sessions[at];
  if (before?.key !== session.key) {
    return {
      ...relist(withOne, queue, session),
      sessions: queue.sessions.toSpliced(at, 0, session),
      counts: count(queue.counts, session.phase, 1),
    };
  }
  const counts =
    before.phase === session.phase
      ? queue.counts
      : count(count(queue.counts, before.phase, -1), session.phase, 1);
  return {
    ...relist(withOne, relist(without, queue, before), session),
    sessions: queue.sessions.with(at, session),
    counts,
  };
}

const count = (counts: Queue['counts'], phase: Phase, by: 1 | -1): Queue['counts'] => ({
  ...counts,
  [phase]: counts[phase] + by,
});

/** Changes the list of those that wait for an actor or for a slot, where the session is one of them. */
function relist(change: typeof withOne<Session>, queue: Queue, session: Session): Queue {
  const { phase } = session;
  return phase === 'waiting' || phase === 'ready'
    ? { ...queue, [phase]: change(queue[phase], session, since) }
    : queue;
}

/** Since when the session waits for its turn. */
const since = ({ items: [head], waitingSince }: Session): number =>
  Math.min(head === undefined ? Infinity : itemTime(head), waitingSince ?? Infinity);

/** Where the session is, or belongs. */
const indexFor = (sessions: readonly Session[], key: string): number =>
  firstWhere(sessions, (session) => session.key >= key);

import { createHash } from 'node:crypto';
import type { AuthorType } from '../../../machines/shared/mission-control.ts';
import { createHistory, type History } from './history.ts';
import type { Account, Agent, Member, Message, Notification, Party, Task } from './rows.ts';

export interface StoreOptions {
  /** The secret part of the service token. */
  secret: string;
  /** Keep when each notification changed and was read (history.ts); costs memory with every call. */
  history: boolean;
  /** Offer what goes beyond the contract (docs/contract-extensions.md). */
  extended: boolean;
}

/** Everything, in maps; each index that a function of the contract needs is one. */
export interface Store {
  account: Account;
  members: Member[];
  /** By slug. */
  agents: Map<string, Agent>;
  agentsById: Map<string, Agent>;
  tasks: Map<string, Task>;
  tasksByAgent: Map<string, Set<Task>>;
  messages: Map<string, Message>;
  /** By task, oldest first. */
  threads: Map<string, Message[]>;
  /** By the notification that they answer. */
  answers: Map<string, Message>;
  /** Which versions of which notifications were answered by `completeDelivery`. */
  answeredVersions: Map<string, Set<string>>;
  notifications: Map<string, Notification>;
  /** What agents have not got yet, oldest first: `createdAt` only grows, so the order of insertion is the index. */
  queue: Map<string, Notification>;
  /** The thread update that waits for a recipient in a task, if any. */
  waitingUpdates: Map<string, Notification>;
  /** By task, then by party. */
  subscriptions: Map<string, Map<string, Party>>;
  history: History | null;
  /** How the queue was worked off: `monotonicMs()`, null before the first. */
  drain: { firstListedAt: number | null; lastMarkedAt: number | null };
  extended: boolean;
  /** How often a row came into the queue of an agent, or moved in it. */
  arrivals: number;
  /** Told of each of these. */
  onArrival: () => void;
  newRow(): { _id: string; _creationTime: number };
  /** Milliseconds since the epoch; never less than what was said before. */
  now(): number;
}

export function createStore({ secret, history, extended }: StoreOptions): Store {
  let created = 0;
  let latest = 0;
  const newId = (): string => `k${(++created).toString(36).padStart(31, '0')}`;
  const accountId = newId();
  return {
    account: {
      _id: accountId,
      secretHash: sha256(secret),
      orchestratorAgentId: null,
      runtimeStatus: 'provisioning',
      runtimeConfig: null,
    },
    members: [{ userId: 'demo-user', name: 'Demo User' }],
    agents: new Map(),
    agentsById: new Map(),
    tasks: new Map(),
    tasksByAgent: new Map(),
    messages: new Map(),
    threads: new Map(),
    answers: new Map(),
    answeredVersions: new Map(),
    notifications: new Map(),
    queue: new Map(),
    waitingUpdates: new Map(),
    subscriptions: new Map(),
    history: history ? createHistory() : null,
    drain: { firstListedAt: null, lastMarkedAt: null },
    extended,
    arrivals: 0,
    onArrival: () => undefined,
    newRow: () => ({ _id: newId(), _creationTime: created }),
    now: () => (latest = Math.max(latest, Date.now())),
  };
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export const partyKey = (type: AuthorType, id: string): string => `${type}/${id}`;

/** The value under the key, made when it is not there. */
export function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

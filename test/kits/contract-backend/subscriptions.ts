import type { Party } from './rows.ts';
import { getOrMake, partyKey, type Store } from './store.ts';

/** From now on the party hears of the task's thread. */
export function subscribe(store: Store, taskId: string, party: Party): void {
  const known = getOrMake(store.subscriptions, taskId, () => new Map<string, Party>());
  const key = partyKey(party.type, party.id);
  if (!known.has(key)) known.set(key, { type: party.type, id: party.id });
}

/** The orchestrator follows every task. */
export function subscribeOrchestrator(store: Store, taskId: string): void {
  const id = store.account.orchestratorAgentId;
  if (id !== null) subscribe(store, taskId, { type: 'agent', id });
}

/** In the order of the backend's index: agents before users, each by id. */
export const subscribersOf = (store: Store, taskId: string): Party[] =>
  [...(store.subscriptions.get(taskId) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, party]) => party);

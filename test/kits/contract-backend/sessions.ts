import type { Agent } from './rows.ts';
import { getOrMake, type Store } from './store.ts';

/** The key of the agent's open session, opened now when there is none. The slug in it never changes (docs/contract.md#sessions). */
export function ensureSession(store: Store, agent: Agent, taskId?: string): string {
  const scope = taskId === undefined ? 'system' : `task:${taskId}`;
  const all = getOrMake(store.sessions, `${agent._id}/${scope}`, () => []);
  const latest = all.at(-1);
  if (latest !== undefined && latest.closedAt === undefined) return latest.sessionKey;
  const generation = (latest?.generation ?? 0) + 1;
  const sessionKey = `${scope}:agent:${agent.slug}:${agent.accountId}:v${generation}`;
  all.push({
    ...store.newRow(),
    agentId: agent._id,
    ...(taskId !== undefined && { taskId }),
    generation,
    sessionKey,
    openedAt: store.now(),
  });
  return sessionKey;
}

/** Closes the sessions of an archived task; the next use of one opens its next generation. */
export function closeTaskSessions(store: Store, taskId: string): void {
  for (const agentId of store.agentsById.keys()) {
    const latest = store.sessions.get(`${agentId}/task:${taskId}`)?.at(-1);
    if (latest !== undefined) latest.closedAt ??= store.now();
  }
}

import type { AnyActorRef } from 'xstate';

/**
 * Stops what a dead actor left running. XState 5.33.3 leaves the children of a machine alive when one of its actions
 * or guards throws, and stopping the dead machine does not reach them: their timers and requests would go on beside
 * those of its successor. Leans on XState's internal `xstate.stop`; the contract test next to this file holds it.
 */
export function reap(dead: AnyActorRef | undefined): void {
  if (dead === undefined) return;
  const snapshot: unknown = dead.getSnapshot();
  for (const child of childrenOf(snapshot)) {
    reap(child);
    if (isActive(child)) child.send({ type: 'xstate.stop' });
  }
}

function childrenOf(snapshot: unknown): AnyActorRef[] {
  if (typeof snapshot !== 'object' || snapshot === null || !('children' in snapshot)) return [];
  return Object.values(snapshot.children as Record<string, AnyActorRef | undefined>).filter(
    (child) => child !== undefined,
  );
}

function isActive(actor: AnyActorRef): boolean {
  const snapshot: unknown = actor.getSnapshot();
  return (
    typeof snapshot === 'object' && snapshot !== null && 'status' in snapshot && snapshot.status === 'active'
  );
}

import type { AnyActorRef } from 'xstate';

/**
 * What people know an actor by: its name in the whole system (`gateway`, `lane:<agent>/<task>`), which all that is
 * supervised has, or its id.
 */
export function actorName(actor: AnyActorRef): string {
  // XState has the name on every actor, and not in the type of a reference.
  const { systemId, id } = actor as AnyActorRef & { systemId?: string };
  return systemId ?? id;
}

export const isLane = (actor: AnyActorRef | undefined): boolean =>
  actor !== undefined && actorName(actor).startsWith('lane:');

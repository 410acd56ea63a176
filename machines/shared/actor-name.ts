import type { AnyActorRef } from 'xstate';

/**
 * What people know an actor by: its name in the whole system (`gateway`, `notification:<agent>/<task>`), which all that is
 * supervised has, or its id.
 */
export function actorName(actor: AnyActorRef): string {
  // XState has the name on every actor, and not in the type of a reference.
  const { systemId, id } = actor as AnyActorRef & { systemId?: string };
  return systemId ?? id;
}

/** Whether the actor works at the head of a session: a notification or a beat. */
export const isSessionActor = (actor: AnyActorRef | undefined): boolean =>
  actor !== undefined && /^(?:notification|beat):/.test(actorName(actor));

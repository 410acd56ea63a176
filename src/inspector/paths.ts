import type { AnyActorRef } from 'xstate';
import { actorName } from '../../machines/shared/actor-name.ts';

/**
 * An actor's place in the tree, `supervisor/delivery/notification:...`. Session ids are new after every restart and for every
 * promise; a path stays.
 */
export function pathOf(actor: AnyActorRef): string {
  const known = paths.get(actor);
  if (known !== undefined) return known;
  const parent = parentOf(actor);
  const name = actorName(actor);
  const path = parent === null ? name : `${pathOf(parent)}/${name}`;
  paths.set(actor, path);
  return path;
}

const paths = new WeakMap<AnyActorRef, string>();

export const parentOf = (actor: AnyActorRef): AnyActorRef | null => actor._parent ?? null;

import type { AnyActorRef, StateValue } from 'xstate';
import { actorName } from '../../machines/shared/actor-name.ts';
import { TAGS } from '../../machines/shared/tags.ts';
import { runInHand, runText } from '../health/run-in-hand.ts';
import { statePaths } from '../health/state-paths.ts';
import { parentOf, pathOf } from './paths.ts';
import type { ActorStatus, ActorView, TimerView } from './wire.ts';

/** The part of a snapshot that is read. It has no context, output or error. */
interface Seen {
  status: ActorStatus;
  /** What only machines have. */
  value?: StateValue;
  hasTag?: (tag: string) => boolean;
  machine?: { id: string };
}

export interface StateView {
  states: string[];
  tags: ActorView['tags'];
  status: ActorStatus;
  run: string | null;
}

/** @param snapshot any actor's, as XState gives it */
export function stateOf(snapshot: unknown): StateView {
  const { status, value, hasTag } = snapshot as Seen;
  return {
    states: value === undefined ? [] : statePaths(value),
    tags: hasTag === undefined ? [] : TAGS.filter((tag) => hasTag.call(snapshot, tag)),
    status,
    run: runText(runInHand(snapshot)),
  };
}

/**
 * Which actors are shown: the machines, and what the supervisor itself has started. Promises and other invoked
 * actors come and go with the state that calls them, and that state is shown.
 */
export function isShown(actor: AnyActorRef): boolean {
  const parent = parentOf(actor);
  return parent === null || parentOf(parent) === null || machineOf(actor) !== null;
}

/** The id of the machine that an actor runs; null when it runs something else. */
export const machineOf = (actor: AnyActorRef): string | null =>
  (actor.getSnapshot() as Partial<Seen> | undefined)?.machine?.id ?? null;

/** What is known of an actor beside its snapshot. */
export interface Surroundings {
  since: (actor: AnyActorRef) => number | null;
  restarts: (id: string) => number;
  timers: readonly TimerView[];
  title: string | null;
}

export function actorView(actor: AnyActorRef, { since, restarts, timers, title }: Surroundings): ActorView {
  const parent = parentOf(actor);
  return {
    path: pathOf(actor),
    parent: parent && pathOf(parent),
    id: actorName(actor),
    title,
    machine: machineOf(actor),
    ...stateOf(actor.getSnapshot()),
    since: since(actor),
    timers: [...timers],
    restarts: restarts(actor.id),
  };
}

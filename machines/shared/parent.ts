import type { ActorRef, EventObject, Snapshot } from 'xstate';

/** The part of a parent that a child knows: the events that it may send there. */
export type Parent<TEvent extends EventObject> = ActorRef<Snapshot<unknown>, TEvent>;

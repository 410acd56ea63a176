import type { AnyActorRef, InspectionEvent, Snapshot, StateValue } from 'xstate';

/** When each actor entered the state that it is in, in milliseconds since the epoch. Fed by XState's inspection. */
export interface StateClock {
  observe: (event: InspectionEvent) => void;
  since(actor: AnyActorRef): number | null;
  /** The same for its outermost state. `connected`, for example, lasts through all checks that are made inside it. */
  sinceOutermost(actor: AnyActorRef): number | null;
}

export function createStateClock(now: () => number): StateClock {
  const memory = new WeakMap<AnyActorRef, Seen>();
  return {
    observe(event) {
      if (event.type !== '@xstate.snapshot' || !isActorRef(event.actorRef)) return;
      const value = valueOf(event.snapshot);
      if (value === undefined) return;
      const last = memory.get(event.actorRef);
      const state = nameOf(value);
      if (last?.state === state) return;
      const top = typeof value === 'string' ? value : Object.keys(value).join();
      const since = now();
      memory.set(event.actorRef, { state, since, top, topSince: last?.top === top ? last.topSince : since });
    },
    since: (actor) => memory.get(actor)?.since ?? null,
    sinceOutermost: (actor) => memory.get(actor)?.topSince ?? null,
  };
}

interface Seen {
  state: string;
  since: number;
  top: string;
  topSince: number;
}

/** `heard` and `silent` are one state here, so that the time of an open round counts from its beginning. */
const nameOf = (value: StateValue): string =>
  typeof value === 'string' ? value : JSON.stringify(value).replace(/"(?:heard|silent)"/, '"open"');

const valueOf = (snapshot: Snapshot<unknown>): StateValue | undefined =>
  'value' in snapshot ? (snapshot.value as StateValue) : undefined;

const isActorRef = (ref: object): ref is AnyActorRef => 'sessionId' in ref;

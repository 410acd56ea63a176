import type { AnyActorRef, InspectionEvent, Snapshot } from 'xstate';

/** When each actor entered the state that it is in, in milliseconds since the epoch. Fed by XState's inspection. */
export interface StateClock {
  observe: (event: InspectionEvent) => void;
  since(actor: AnyActorRef): number | null;
  /** The same for its outermost state: connected, through all the checks that are made meanwhile. */
  sinceOutermost(actor: AnyActorRef): number | null;
}

export function createStateClock(now: () => number): StateClock {
  const entered = createMemory();
  const outermost = createMemory();
  return {
    observe(event) {
      if (event.type !== '@xstate.snapshot' || !isActorRef(event.actorRef)) return;
      const value = valueOf(event.snapshot);
      if (value === undefined) return;
      entered.note(event.actorRef, value, now);
      const top = typeof value === 'object' && value !== null ? Object.keys(value) : value;
      outermost.note(event.actorRef, top, now);
    },
    since: (actor) => entered.at(actor),
    sinceOutermost: (actor) => outermost.at(actor),
  };
}

/** When each actor's value last changed. */
function createMemory() {
  const memory = new WeakMap<AnyActorRef, { value: unknown; at: number }>();
  return {
    note(actor: AnyActorRef, value: unknown, now: () => number): void {
      const last = memory.get(actor);
      if (last === undefined || !isSame(last.value, value)) memory.set(actor, { value, at: now() });
    },
    at: (actor: AnyActorRef): number | null => memory.get(actor)?.at ?? null,
  };
}

/** Of state values: names, or objects of them. */
const isSame = (one: unknown, other: unknown): boolean =>
  one === other ||
  (typeof one === 'object' && typeof other === 'object' && JSON.stringify(one) === JSON.stringify(other));

const valueOf = (snapshot: Snapshot<unknown>): unknown => ('value' in snapshot ? snapshot.value : undefined);

const isActorRef = (ref: object): ref is AnyActorRef => 'sessionId' in ref;

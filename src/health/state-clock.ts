import type { AnyActorRef, InspectionEvent, Snapshot } from 'xstate';

/** When each actor entered the state that it is in, in milliseconds since the epoch. Fed by XState's inspection. */
export interface StateClock {
  observe: (event: InspectionEvent) => void;
  since(actor: AnyActorRef): number | null;
}

export function createStateClock(now: () => number): StateClock {
  const entered = new WeakMap<AnyActorRef, { value: unknown; at: number }>();
  return {
    observe(event) {
      if (event.type !== '@xstate.snapshot' || !isActorRef(event.actorRef)) return;
      const value = valueOf(event.snapshot);
      const last = entered.get(event.actorRef);
      if (value === undefined || last?.value === value) return;
      if (last !== undefined && JSON.stringify(last.value) === JSON.stringify(value)) return;
      entered.set(event.actorRef, { value, at: now() });
    },
    since: (actor) => entered.get(actor)?.at ?? null,
  };
}

const valueOf = (snapshot: Snapshot<unknown>): unknown => ('value' in snapshot ? snapshot.value : undefined);

const isActorRef = (ref: object): ref is AnyActorRef => 'sessionId' in ref;

import type { AnyActorRef } from 'xstate';

/** Timers of delivery that tidy up: nobody waits for them. */
const TIDYING: ReadonlySet<string> = new Set(['contexts.aged', 'row.reconsider']);

/** This timer fires only if the gateway is silent, so nobody waits for it either. */
export const isWatchful = (event: string): boolean => event.startsWith('xstate.after.stallAfter.');

/** When the next timer of each actor fires: session id to milliseconds since the epoch. Read from XState's scheduler. */
export function nextTimers(root: AnyActorRef): ReadonlyMap<string, number> {
  const timers = new Map<string, number>();
  for (const { source, event, startedAt, delay } of Object.values(
    root.system.getSnapshot()._scheduledEvents,
  )) {
    if (TIDYING.has(event.type) || isWatchful(event.type)) continue;
    const at = startedAt + delay;
    timers.set(source.sessionId, Math.min(at, timers.get(source.sessionId) ?? at));
  }
  return timers;
}

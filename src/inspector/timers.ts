import type { AnyActorRef } from 'xstate';
import { isWatchful } from '../health/timers.ts';
import type { TimerView } from './wire.ts';

/** More of an actor's timers than this are not told: delivery may have one for each row that it left aside. */
const MOST = 5;

const AFTER = /^xstate\.after\.([^.]+)\.(.+)$/;

/**
 * The timers that are set, from XState's scheduler.
 * @param wanted session ids
 * @returns by session id; those without a timer are left out
 */
export function timersOf(root: AnyActorRef, wanted: ReadonlySet<string>): Map<string, TimerView[]> {
  const timers = new Map<string, TimerView[]>();
  for (const { source, event, startedAt, delay } of Object.values(
    root.system.getSnapshot()._scheduledEvents,
  )) {
    if (!wanted.has(source.sessionId) || isWatchful(event.type)) continue;
    const [, name = event.type, state = null] = AFTER.exec(event.type) ?? [];
    const list = timers.get(source.sessionId) ?? [];
    list.push({ name, state, at: startedAt + delay });
    timers.set(source.sessionId, list);
  }
  for (const [id, list] of timers) timers.set(id, list.sort((a, b) => a.at - b.at).slice(0, MOST));
  return timers;
}

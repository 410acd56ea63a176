import type { DeliveryContext } from '../../machines/shared/mission-control.ts';

/** A context is as good as one that was asked for now if it came with the list a moment ago. */
const FRESH_MS = 2_000;

/** Contexts that came with the list, until the run that they are for begins; and whose typing indicator is on. */
export interface Prefetched {
  /** In place of those before. */
  keep(contexts: readonly DeliveryContext[]): void;
  /** The row's context, once, while it is fresh. */
  take(notificationId: string): DeliveryContext | null;
  /** The backend has switched the indicator on, with the context. */
  noteTyping(notificationId: string): void;
  /** Whether it has; asked once, as the run begins or the row is let go. */
  isTyping(notificationId: string): boolean;
}

/** @param now milliseconds of a clock that only goes forward */
export function createPrefetched(now: () => number = () => performance.now()): Prefetched {
  let kept = new Map<string, DeliveryContext>();
  let keptAt = 0;
  const typing = new Set<string>();
  return {
    keep(contexts) {
      kept = new Map(contexts.map((context) => [context.notification._id, context]));
      keptAt = now();
    },
    take(notificationId) {
      const context = kept.get(notificationId);
      if (context === undefined) return null;
      kept.delete(notificationId);
      if (now() - keptAt > FRESH_MS) return null;
      typing.add(notificationId);
      return context;
    },
    noteTyping: (notificationId) => void typing.add(notificationId),
    isTyping: (notificationId) => typing.delete(notificationId),
  };
}

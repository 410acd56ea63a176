import type { DeliveryContext } from '../../machines/shared/mission-control.ts';

/** A context is as good as a new one if it was read a moment ago. */
const FRESH_MS = 2_000;

/** Contexts that were read before their turn, until the run that they are for begins; and whose typing indicator is on. */
export interface Prefetched {
  /** Contexts that came with the list, in place of those before; their typing indicators are on. */
  keep(contexts: readonly DeliveryContext[]): void;
  /** The context of a session's next row is on its way; one that fails is as good as none. */
  keepNext(notificationId: string, loading: Promise<DeliveryContext | null>): void;
  /** The row's context, once, while it is fresh. */
  take(notificationId: string): Promise<DeliveryContext | null>;
  /** The backend has switched the indicator on, with the context. */
  noteTyping(notificationId: string): void;
  /** Whether it has; asked once, as the run begins or the row is let go. */
  isTyping(notificationId: string): boolean;
}

/** @param now milliseconds of a clock that only goes forward */
export function createPrefetched(now: () => number = () => performance.now()): Prefetched {
  let listed = new Map<string, DeliveryContext>();
  let listedAt = 0;
  const next = new Map<string, { loading: Promise<DeliveryContext | null>; at: number }>();
  const typing = new Set<string>();
  const isFresh = (at: number): boolean => now() - at <= FRESH_MS;

  /** The oldest come first. */
  function forgetStale(): void {
    for (const [id, { at }] of next) {
      if (isFresh(at)) return;
      next.delete(id);
    }
  }

  function takeListed(notificationId: string): DeliveryContext | null {
    const context = listed.get(notificationId);
    listed.delete(notificationId);
    if (context === undefined || !isFresh(listedAt)) return null;
    typing.add(notificationId);
    return context;
  }

  return {
    keep(contexts) {
      listed = new Map(contexts.map((context) => [context.notification._id, context]));
      listedAt = now();
    },
    keepNext(notificationId, loading) {
      forgetStale();
      next.delete(notificationId);
      next.set(notificationId, { loading: loading.catch(() => null), at: now() });
    },
    async take(notificationId) {
      forgetStale();
      const coming = next.get(notificationId);
      next.delete(notificationId);
      return takeListed(notificationId) ?? (await coming?.loading) ?? null;
    },
    noteTyping: (notificationId) => void typing.add(notificationId),
    isTyping: (notificationId) => typing.delete(notificationId),
  };
}

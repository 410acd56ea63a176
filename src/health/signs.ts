import type { Gateway } from '../ports.ts';

/** When the gateway last sent something in each round that is open. Only for people: nothing is decided by it. */
export interface Signs {
  /** The same gateway, listened to. */
  watch(gateway: Gateway): Gateway;
  /**
   * When the last sign came, or the request went out if none came yet, in milliseconds since the epoch. null when no
   * round of that session is open.
   */
  last(sessionKey: string): number | null;
}

export function createSigns(now: () => number = Date.now): Signs {
  const heardAt = new Map<string, number>();
  return {
    watch: (gateway) => ({
      ...gateway,
      async respond(request) {
        const { sessionKey, onSign } = request;
        let isOpen = true;
        heardAt.set(sessionKey, now());
        try {
          return await gateway.respond({
            ...request,
            onSign() {
              if (isOpen) heardAt.set(sessionKey, now());
              onSign?.();
            },
          });
        } finally {
          isOpen = false;
          heardAt.delete(sessionKey);
        }
      },
    }),
    last: (sessionKey) => heardAt.get(sessionKey) ?? null,
  };
}

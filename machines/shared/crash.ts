/** Who crashed and with what, from XState's `xstate.error.actor.<id>`, which it types loosely. */
export function crashOf({ event }: { event: unknown }): { actorId: string; error: unknown } {
  const { actorId, error } = event as { actorId: string; error: unknown };
  return { actorId, error };
}

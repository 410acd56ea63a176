/** Lets the calls of an actor know which span they belong to, without any code in the actor. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from '@opentelemetry/api';
import type { AnyActorLogic, AnyActorRef } from 'xstate';

export interface Carrier {
  carry: <T extends object>(actors: T) => T;
  /** The span of the actor whose work this is called in. */
  current: () => Span | undefined;
}

/**
 * @param spanOf gives the span, which is known before the actor's work begins, because XState reports its start first
 */
export function createCarrier(spanOf: (actor: AnyActorRef) => Span | undefined): Carrier {
  const storage = new AsyncLocalStorage<Span>();

  const carried = ({ start, ...logic }: AnyActorLogic): AnyActorLogic => ({
    ...logic,
    start(snapshot, scope) {
      const span = spanOf(scope.self);
      if (span === undefined) start?.(snapshot, scope);
      else storage.run(span, () => start?.(snapshot, scope));
    },
  });

  return {
    carry: <T extends object>(actors: T) =>
      Object.fromEntries(
        Object.entries(actors as Record<string, AnyActorLogic>).map(([name, logic]) => [
          name,
          carried(logic),
        ]),
      ) as T,
    current: () => storage.getStore(),
  };
}

/** W3C Trace Context, version 00. */
export function traceparentOf(span: Span | undefined): string | undefined {
  if (span === undefined) return undefined;
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

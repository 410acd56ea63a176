/**
 * Three changes to XState in the bundle. XState 5.33.3 becomes slower when more actors are alive, and the bundle does not:
 *
 * - XState computes a snapshot's value and tags each time the context changes. The bundle does it when the states change.
 * - XState copies the record of the children for each child that starts or stops. Here the record stays the same one, so an
 *   earlier snapshot shows the children of now.
 * - When an actor stops, XState looks through the timers of all actors. Here it looks through that actor's own.
 *
 * Measured in turn with the bundle without these changes, on a busy machine (load 7 to 9), in CPU time per delivery:
 * delivery and notifications alone, 500 sessions, 0.54 to 0.42 ms; all of the runtime, 1,000 sessions, 2.17 to 1.98 ms.
 * Tests and the benchmark `machines` run the sources, and so XState as it is.
 */
import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

const CHANGES: readonly { from: string; to: string }[] = [
  {
    from: `function cloneMachineSnapshot(snapshot, config = {}) {
  return createMachineSnapshot({
    ...snapshot,
    ...config
  }, snapshot.machine);
}`,
    to: `function cloneMachineSnapshot(snapshot, config = {}) {
  const clone = { ...snapshot, ...config };
  return config._nodes === undefined ? clone : createMachineSnapshot(clone, snapshot.machine);
}`,
  },
  {
    from: `  return [cloneMachineSnapshot(snapshot, {
    children: {
      ...snapshot.children,
      [resolvedId]: actorRef
    }
  }), {`,
    to: `  snapshot.children[resolvedId] = actorRef;
  return [cloneMachineSnapshot(snapshot), {`,
  },
  {
    from: `  let children = snapshot.children;
  if (resolvedActorRef) {
    children = {
      ...children
    };
    delete children[resolvedActorRef.id];
  }
  return [cloneMachineSnapshot(snapshot, {
    children
  }), resolvedActorRef, undefined];`,
    to: `  return [cloneMachineSnapshot(snapshot), resolvedActorRef, undefined];`,
  },
  // The child leaves the record when the transition is over: if an action throws, it can still be found and stopped.
  {
    from: `  unregisterRecursively(actorScope, actorRef);

`,
    to: `  unregisterRecursively(actorScope, actorRef);
  actorScope.defer(() => {
    const { children } = actorScope.self.getSnapshot();
    if (children[actorRef.id] === actorRef) delete children[actorRef.id];
  });
`,
  },
  {
    from: `  const timerMap = {};`,
    to: `  const timerMap = {};
  const eventsOf = new WeakMap();`,
  },
  {
    from: `      system._snapshot._scheduledEvents[scheduledEventId] = scheduledEvent;
      const timeout = clock.setTimeout(() => {`,
    to: `      system._snapshot._scheduledEvents[scheduledEventId] = scheduledEvent;
      if (!eventsOf.has(source)) eventsOf.set(source, new Set());
      eventsOf.get(source).add(id);
      const timeout = clock.setTimeout(() => {
        eventsOf.get(source).delete(id);`,
  },
  {
    from: `      const timeout = timerMap[scheduledEventId];
`,
    to: `      const timeout = timerMap[scheduledEventId];
      eventsOf.get(source)?.delete(id);
`,
  },
  {
    from: `      for (const scheduledEventId in system._snapshot._scheduledEvents) {
        const scheduledEvent = system._snapshot._scheduledEvents[scheduledEventId];
        if (scheduledEvent.source === actorRef) {
          scheduler.cancel(actorRef, scheduledEvent.id);
        }
      }`,
    to: `      for (const id of eventsOf.get(actorRef) ?? []) scheduler.cancel(actorRef, id);`,
  },
];

/** @throws when XState is another one than these changes are for */
export function quickened(source: string): string {
  return CHANGES.reduce((text, { from, to }) => {
    const [before, after, ...more] = text.split(from);
    if (before === undefined || after === undefined || more.length > 0) {
      throw new Error(
        `XState has changed, and scripts/bundle/xstate.ts has to change with it. Not found once:\n${from}`,
      );
    }
    return before + to + after;
  }, source);
}

export const quickXState: Plugin = {
  name: 'quick-xstate',
  setup(build) {
    build.onLoad({ filter: /xstate\/dist\/raise-\w+\.esm\.js$/ }, ({ path }) => ({
      contents: quickened(readFileSync(path, 'utf8')),
      loader: 'js',
    }));
  },
};

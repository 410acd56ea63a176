/** What the sync server serves, for backends of tests that are no engine: all of their queries read the same thing. */
import { ConvexError, type JSONValue } from 'convex/values';
import type { Call, Commit } from '../../src/local/mission-control/engine/engine.ts';
import type { SyncSource } from '../../src/local/mission-control/sync/session.ts';

export interface OneThing extends SyncSource {
  /** Every query is run again. */
  written(): void;
}

/** @param run gives a query's value, or throws */
export function oneThing(run: (call: Call) => JSONValue): OneThing {
  const listeners: ((commit: Commit) => void)[] = [];
  const reads = [{ index: 1, from: Uint8Array.of(0), to: Uint8Array.of(2) }];
  let at = 1n;
  const onlyQueries = (): never => {
    throw new ConvexError('There are only queries here.');
  };
  return {
    async snapshot(work) {
      const value = await work(async (call) => {
        const [result] = await Promise.allSettled([Promise.resolve(call).then(run)]);
        return { result, reads };
      });
      return { at, value };
    },
    call: () => Promise.resolve().then(onlyQueries),
    callOnce: () => Promise.resolve().then(onlyQueries),
    onCommit: (listener) => void listeners.push(listener),
    written() {
      at += 1n;
      for (const listener of listeners) listener({ at, touches: [{ index: 1, key: Uint8Array.of(1) }] });
    },
  };
}

import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import type { Store } from './journal/store.ts';

const KEY = 'runtime';

const Kept = v.object({ name: v.string() });

/**
 * The name under which rows are lent to this runtime. It stays the same after a restart, because the next process goes on
 * with the rows of the one before. The lock of STATE_DIR makes sure that no two processes have the same name.
 */
export function runtimeName(store: Pick<Store, 'read' | 'put'>): string {
  const kept = v.safeParse(Kept, store.read(KEY));
  const name = kept.success ? kept.output.name : randomUUID();
  // It is written at every start, because the journal drops entries that were not written for 35 days.
  store.put(KEY, { name });
  return name;
}

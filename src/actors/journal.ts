import { fromCallback, fromPromise } from 'xstate';
import type { JournalEvent } from '../../machines/journal/machine.ts';
import type { Store } from '../journal/store.ts';

/** The I/O of the journal machine: what becomes of the disk under the store. */
export const createJournalActors = (store: Pick<Store, 'onFailure' | 'catchUp'>) => ({
  watchDisk: fromCallback<JournalEvent, null>(({ sendBack }) => {
    store.onFailure((problem) => sendBack({ type: 'journal.failed', problem }));
  }),
  catchUp: fromPromise<void>(() => store.catchUp()),
});

import type { ListInput, Page } from '../../machines/delivery/context.ts';
import { isOwed } from '../../machines/lane/context.ts';
import type { NotificationRow } from '../../machines/shared/mission-control.ts';
import type { Log } from '../logging/log.ts';
import type { Journal, MissionControl } from '../ports.ts';
import type { Prefetched } from './prefetched.ts';

interface Surroundings {
  missionControl: MissionControl;
  journal: Journal;
  prefetched: Prefetched;
  log: Log;
}

/** One look takes up so many rows of the journal. */
const MOST_RESUMED = 20;

/**
 * The undelivered rows, oldest first, and with them those of the journal that something is left to do for wherever
 * they are: a reply to be posted to a row that waits behind the page, and what the backend takes for delivered. (A
 * process can die between the mark and the last look at a row that took in a newer message.) Where a row of the journal
 * could not be read, or had no turn, the next look must come soon: no change of the queue tells of it.
 */
export function createListUndelivered(around: Surroundings) {
  let turn = 0;
  return async ({ input, signal }: { input: ListInput; signal: AbortSignal }): Promise<Page> => {
    const { rows, contexts } = await around.missionControl.listWithContexts(input, signal);
    around.prefetched.keep(contexts);
    const listed = new Set(rows.map(({ _id }) => _id));
    const missing = around.journal.unfinished().filter((id) => !listed.has(id));
    // Some may wait behind the page for long; the others must have their turn.
    const ids = Array.from(
      { length: Math.min(MOST_RESUMED, missing.length) },
      () => missing[turn++ % missing.length] ?? '',
    );
    const resumed = await Promise.all(ids.map((id) => resume(around, id, signal)));
    return {
      rows: [...rows, ...resumed.filter((row) => row !== null && row !== 'unread')],
      unseen: missing.length > ids.length || resumed.includes('unread'),
    };
  };
}

/** @returns the row when it is owed something, `unread` when that cannot be told; one that is done with is forgotten */
async function resume(
  { missionControl, journal, log }: Surroundings,
  notificationId: string,
  signal: AbortSignal,
): Promise<NotificationRow | 'unread' | null> {
  try {
    const row = (await missionControl.loadContext(notificationId, signal))?.notification;
    // Read after the answer came: the row may have been in hand meanwhile.
    const entry = journal.read(notificationId);
    // One that waits behind the page is listed in its time.
    if (row !== undefined && row.deliveredAt === undefined) return entry?.reply == null ? null : row;
    if (row !== undefined && entry !== null && isOwed(row, entry)) return row;
    journal.forget(notificationId);
    return null;
  } catch (error) {
    // The rows that could be read must not wait for it.
    log.debug('row.notResumed', 'A row of the journal could not be looked at', { notificationId, error });
    return 'unread';
  }
}

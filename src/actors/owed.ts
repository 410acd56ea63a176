import type { Page } from '../../machines/delivery/context.ts';
import { isOwed } from '../../machines/notification/entry.ts';
import type { NotificationRow } from '../../machines/shared/mission-control.ts';
import type { Log } from '../logging/log.ts';
import type { MissionControl } from '../ports.ts';
import type { Entries } from './entries.ts';

export interface JournalRows {
  missionControl: MissionControl;
  entries: Entries;
  log: Log;
}

interface Owed extends Pick<Page, 'unseen' | 'cursor'> {
  rows: NotificationRow[];
}

/** One look takes up at most this many rows that only the journal knows. */
const MOST_RESUMED = 20;

/**
 * Rows of the journal that something is left to do for: a reply to post to a row that waits behind the page, or a newer
 * message in a row that Convex takes for delivered. A process can die between the mark and the last look.
 * @param known rows that are listed or in hand, by id
 * @param cursor the row that the last look ended with
 */
export async function rowsOwed(
  around: JournalRows,
  known: ReadonlySet<string>,
  cursor: string | null,
  signal: AbortSignal,
): Promise<Owed> {
  const missing = around.entries.unfinished().filter((id) => !known.has(id));
  const ids = nextBehind(missing.sort(), cursor);
  const resumed = await Promise.all(ids.map((id) => resume(around, id, signal)));
  return {
    rows: resumed.filter((row) => row !== null && row !== 'unread'),
    unseen: missing.length > ids.length || resumed.includes('unread'),
    cursor: ids.at(-1) ?? null,
  };
}

/** Rows may wait behind the page for a long time, so every look continues where the last one ended. */
function nextBehind(sorted: readonly string[], cursor: string | null): string[] {
  const from =
    cursor === null
      ? 0
      : Math.max(
          0,
          sorted.findIndex((id) => id > cursor),
        );
  return [...sorted.slice(from), ...sorted.slice(0, from)].slice(0, MOST_RESUMED);
}

/** @returns the row when it is owed something, `unread` when Convex did not say; forgets an entry that nothing is owed for */
async function resume(
  { missionControl, entries, log }: JournalRows,
  notificationId: string,
  signal: AbortSignal,
): Promise<NotificationRow | 'unread' | null> {
  try {
    const row = (await missionControl.loadContext(notificationId, signal))?.notification;
    // The entry is read after the answer came, because an actor may have changed it meanwhile.
    const entry = entries.read(notificationId);
    // A row that waits behind the page will be listed later.
    if (row !== undefined && row.deliveredAt === undefined) return entry?.reply == null ? null : row;
    if (row !== undefined && entry !== null && isOwed(row, entry)) return row;
    entries.forget(notificationId);
    return null;
  } catch (error) {
    // Rows that could be read must not wait for this one.
    log.debug('row.notResumed', 'A row of the journal could not be looked at', { notificationId, error });
    return 'unread';
  }
}

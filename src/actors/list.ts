import type { ListInput, Page } from '../../machines/delivery/context.ts';
import { isOwed } from '../../machines/notification/entry.ts';
import type { NotificationRow } from '../../machines/shared/mission-control.ts';
import type { Log } from '../logging/log.ts';
import type { MissionControl } from '../ports.ts';
import type { Entries } from './entries.ts';

interface Surroundings {
  missionControl: MissionControl;
  entries: Entries;
  log: Log;
}

/** One look takes up at most this many rows that only the journal knows. */
const MOST_RESUMED = 20;

/**
 * The undelivered rows, oldest first, with what the journal has of them. Behind them come rows of the journal that the
 * list does not show and that something is left to do for: a reply to post to a row that waits behind the page, or a
 * newer message in a row that Convex takes for delivered. A process can die between the mark and the last look.
 */
export function createListUndelivered(around: Surroundings) {
  const { missionControl, entries } = around;
  return async ({ input, signal }: { input: ListInput; signal: AbortSignal }): Promise<Page> => {
    const { rows, contexts, others } = await missionControl.listWithContexts(input, signal);
    const given = new Map(contexts.map((context) => [context.notification._id, context]));
    const known = new Set([...rows.map(({ _id }) => _id), ...input.busy]);
    const missing = entries.unfinished().filter((id) => !known.has(id));
    const ids = nextBehind(missing.sort(), input.cursor);
    const resumed = await Promise.all(ids.map((id) => resume(around, id, signal)));
    const all = [...rows, ...resumed.filter((row) => row !== null && row !== 'unread')];
    return {
      rows: all.map((row) => ({ row, entry: entries.read(row._id), given: given.get(row._id) ?? null })),
      listed: rows.length,
      unseen: missing.length > ids.length || resumed.includes('unread') || (others ?? 0) > 0,
      cursor: ids.at(-1) ?? null,
    };
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

/** @returns the row when it is owed something, `unread` when that cannot be told; an entry that is done with is forgotten */
async function resume(
  { missionControl, entries, log }: Surroundings,
  notificationId: string,
  signal: AbortSignal,
): Promise<NotificationRow | 'unread' | null> {
  try {
    const row = (await missionControl.loadContext(notificationId, signal))?.notification;
    // Read after the answer came: the row may have been in hand meanwhile.
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

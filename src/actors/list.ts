import type { ListInput, Page } from '../../machines/delivery/context.ts';
import { rowsOwed, type JournalRows } from './owed.ts';

/**
 * The undelivered rows, oldest first, with what the journal has of them. Behind them come rows that the list does not
 * show and that the journal still owes something.
 */
export function createListUndelivered(around: JournalRows) {
  const { missionControl, entries } = around;
  return async ({ input, signal }: { input: ListInput; signal: AbortSignal }): Promise<Page> => {
    const { rows, contexts, others } = await missionControl.listWithContexts(input, signal);
    const given = new Map(contexts.map((context) => [context.notification._id, context]));
    const known = new Set([...rows.map(({ _id }) => _id), ...input.busy]);
    const owed = await rowsOwed(around, known, input.cursor, signal);
    return {
      rows: [...rows, ...owed.rows].map((row) => ({
        row,
        entry: entries.read(row._id),
        given: given.get(row._id) ?? null,
      })),
      listed: rows.length,
      unseen: owed.unseen || (others ?? 0) > 0,
      cursor: owed.cursor,
    };
  };
}

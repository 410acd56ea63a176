import { eventText, nameOf } from './format.ts';
import type { LogRow } from './model.ts';

export interface Filter {
  /** Part of the path of the sender or the receiver. */
  actor: string;
  /** Part of the event, as XState calls it or as the page does. */
  event: string;
  changesOnly: boolean;
}

export function filterRows(
  rows: readonly LogRow[],
  { actor, event, changesOnly }: Filter,
): readonly LogRow[] {
  const [who, what] = [actor.trim().toLowerCase(), event.trim().toLowerCase()];
  if (who === '' && what === '' && !changesOnly) return rows;
  const names = (path: string | null): string => (path ?? nameOf(null)).toLowerCase();
  return rows.filter(
    (row) =>
      (!changesOnly || row.from !== null) &&
      (who === '' || names(row.path).includes(who) || names(row.by).includes(who)) &&
      (what === '' ||
        row.event.toLowerCase().includes(what) ||
        eventText(row.event, row.call).toLowerCase().includes(what)),
  );
}

/** The log without its steady beat: consecutive rows that say only "still well" become one. No DOM here. */
import type { LogRow } from './model.ts';

/** Several steady rows, folded. */
export interface Fold {
  /** The number of its first row, by which it is unfolded. */
  seq: number;
  rows: readonly LogRow[];
}

export type LogItem = LogRow | Fold;

export const isFold = (item: LogItem): item is Fold => 'rows' in item;

/** @param open the first rows of folds that are shown in full */
export function foldSteady(rows: readonly LogRow[], open: ReadonlySet<number>): LogItem[] {
  const items: LogItem[] = [];
  let steady: LogRow[] = [];
  const close = (): void => {
    const [first] = steady;
    if (first === undefined) return;
    if (open.has(first.seq)) items.push(...steady);
    else items.push({ seq: first.seq, rows: steady });
    steady = [];
  };
  for (const row of rows) {
    if (row.isSteady) steady.push(row);
    else {
      close();
      items.push(row);
    }
  }
  close();
  return items;
}

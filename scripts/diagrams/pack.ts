/** Puts the sheets of a chart into one drawing: the top level, and the insides below or beside it. */
import type { Drawing, Placed, Rect } from './layout.ts';

const GAP = 24;
/** Width to height that suits a screen and a page. */
const SHAPE = 1.5;
/** How much wider than the top level the rows below it may be, or how much taller the columns beside it. */
const STRETCHES = [1, 1.25, 1.5, 2, 2.5, 3];

interface Spot {
  x: number;
  y: number;
}

/** @param sheets the top level first */
export function arranged(sheets: readonly Placed[]): Omit<Drawing, 'id'> {
  const [top, ...insides] = sheets;
  if (top === undefined) throw new Error('A drawing needs at least one sheet.');
  const ways = STRETCHES.flatMap((stretch) => [
    below(top, insides, stretch),
    beside(top, insides, stretch),
  ]).map((spots) => ({ spots, size: sizeOf(sheets, spots) }));
  const [first, ...others] = ways;
  const best = others.reduce((a, b) => (a === undefined || worth(b.size) < worth(a.size) ? b : a), first);
  return combined(sheets, best?.spots ?? []);
}

/** The longer side, as if the drawing had the right shape: the smaller, the larger its texts on a screen. */
const worth = ({ width, height }: { width: number; height: number }): number =>
  Math.max(width / SHAPE, height);

function below(top: Placed, insides: readonly Placed[], stretch: number): Spot[] {
  const limit = Math.max(stretch * top.width, ...insides.map(({ width }) => width));
  let [x, y, row] = [0, top.height + GAP, 0];
  const spots = insides.map(({ width, height }) => {
    if (x > 0 && x + width > limit) [x, y, row] = [0, y + row + GAP, 0];
    const spot = { x, y };
    x += width + GAP;
    row = Math.max(row, height);
    return spot;
  });
  return [{ x: 0, y: 0 }, ...spots];
}

function beside(top: Placed, insides: readonly Placed[], stretch: number): Spot[] {
  const limit = Math.max(stretch * top.height, ...insides.map(({ height }) => height));
  let [x, y, column] = [top.width + GAP, 0, 0];
  const spots = insides.map(({ width, height }) => {
    if (y > 0 && y + height > limit) [x, y, column] = [x + column + GAP, 0, 0];
    const spot = { x, y };
    y += height + GAP;
    column = Math.max(column, width);
    return spot;
  });
  return [{ x: 0, y: 0 }, ...spots];
}

function sizeOf(sheets: readonly Placed[], spots: readonly Spot[]): { width: number; height: number } {
  return {
    width: Math.max(...sheets.map(({ width }, i) => width + (spots[i]?.x ?? 0))),
    height: Math.max(...sheets.map(({ height }, i) => height + (spots[i]?.y ?? 0))),
  };
}

function combined(sheets: readonly Placed[], spots: readonly Spot[]): Omit<Drawing, 'id'> {
  const moved = sheets.map((sheet, i) => move(sheet, spots[i] ?? { x: 0, y: 0 }));
  return {
    ...sizeOf(sheets, spots),
    states: moved.flatMap(({ states }) => states),
    edges: moved.flatMap(({ edges }) => edges),
    initials: moved.flatMap(({ initials }) => initials),
    anys: moved.flatMap(({ anys }) => anys),
    sheets: moved.flatMap(({ states }) =>
      states.slice(0, 1).map(({ state, x, y, width, height }) => ({ of: state.id, x, y, width, height })),
    ),
  };
}

function move(sheet: Placed, { x: dx, y: dy }: Spot): Placed {
  const shift = <T extends Spot>(place: T): T => ({ ...place, x: place.x + dx, y: place.y + dy });
  return {
    ...sheet,
    states: sheet.states.map(shift),
    edges: sheet.edges.map((one) => ({ ...one, points: one.points.map(shift), label: shift(one.label) })),
    initials: sheet.initials.map((one) => ({
      ...one,
      dot: shift<Rect>(one.dot),
      points: one.points.map(shift),
    })),
    anys: sheet.anys.map(shift),
  };
}

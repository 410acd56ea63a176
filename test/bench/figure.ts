/** What a benchmark prints: one figure per line, with what it is to be compared with. */
export interface Figure {
  /** `benchmark.what`, in words with underscores. */
  name: string;
  value: number;
  unit: string;
  /** The best that the value can be, in the same unit; measured in the same run where possible. */
  limit?: number;
  /** Of the value and the limit, or of two rates. */
  ratio?: number;
  /** For the ratio where there is one, else for the value. */
  goal?: Goal;
}

type Goal = { most: number } | { least: number };

export function isMet({ value, ratio, goal }: Figure): boolean {
  if (goal === undefined) return true;
  const judged = ratio ?? value;
  return 'most' in goal ? judged <= goal.most : judged >= goal.least;
}

const NAME_WIDTH = 46;
const VALUE_WIDTH = 10;

/** `backlog.200x20.seconds   0.62 s (limit 0.50, ratio 1.24, goal <= 1.3: met)` */
export function figureLine(figure: Figure): string {
  const { name, value, unit, limit, ratio, goal } = figure;
  const notes = [
    ...(limit === undefined ? [] : [`limit ${short(limit)}`]),
    ...(ratio === undefined ? [] : [`ratio ${ratio.toFixed(2)}`]),
    ...(goal === undefined ? [] : [`goal ${goalText(goal)}: ${isMet(figure) ? 'met' : 'MISSED'}`]),
  ];
  const note = notes.length === 0 ? '' : ` (${notes.join(', ')})`;
  return `${name.padEnd(NAME_WIDTH)} ${short(value).padStart(VALUE_WIDTH)} ${unit}${note}`;
}

const goalText = (goal: Goal): string => ('most' in goal ? `<= ${goal.most}` : `>= ${goal.least}`);

/** Rounds to three or four significant digits. */
const short = (value: number): string => {
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 1_000) return String(Math.round(value));
  return value.toFixed(size >= 100 ? 1 : size >= 1 ? 2 : 3);
};

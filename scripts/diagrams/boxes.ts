/** What stands in a state's box, line by line, and how much room it takes. All lengths are pixels. */
import type { State, Transition } from './chart.ts';
import { textWidth, wrap, type Font } from './text.ts';

const TITLE: Font = { size: 13, bold: true };
const SMALL: Font = { size: 10.5 };
const CHIP: Font = { size: 9 };

export const PAD = 10;
export const LINE = 15;
const TITLE_LINE = 18;
const CHIP_GAP = 6;
export const CHIP_HEIGHT = 13;
export const PILL_HEIGHT = 17;
const PILL_GAP = 6;
const GAP = 5;
/** Further lines of one row stand this far to the right. */
const INDENT = 8;
/** Room for the sign in front of a line. */
const SIGN = 15;
const DESCRIPTION_WIDTH = 230;
const ROW_WIDTH = 260;
const COLUMN_GAP = 18;
const COLUMN_WIDTH = 220;
/** A table with more lines than this goes on in a further column. */
const COLUMN_LINES = 5;

export type Sign = 'invoke' | 'entry' | 'exit' | 'clock' | 'always' | 'error' | 'event' | 'done';

/** A text in a box; x and y are its left end and its base line, from the box's upper left corner. */
export interface Line {
  x: number;
  y: number;
  text: string;
  look: 'title' | 'description' | 'row' | 'caption';
}

interface Chip {
  x: number;
  y: number;
  width: number;
  tag: string;
}

/** A state of a closed state, named in its box; y is the upper edge. */
interface Pill {
  x: number;
  y: number;
  width: number;
  id: string;
  key: string;
}

/** A line of the box that is a transition, or an action or actor; it may take several lines of text. */
export interface Row {
  x: number;
  y: number;
  sign: Sign | null;
  lines: Line[];
  transition: Transition | null;
}

export interface Box {
  width: number;
  height: number;
  lines: Line[];
  chips: Chip[];
  pills: Pill[];
  /** Where the rule between the description and the rows is; null without rows. */
  ruleY: number | null;
  rows: Row[];
}

export interface Entry {
  sign: Sign | null;
  text: string;
  transition: Transition | null;
}

export const ANY_TEXT = 'in any of its states';

/** The room of the small box from which arrows lead that hold in any state. */
export const ANY_STATE = { width: textWidth(ANY_TEXT, SMALL) + 16, height: 20 };

/** @param width how wide the box will be; the states in a box decide that */
export function boxOf(state: State, width = DESCRIPTION_WIDTH + 2 * PAD): Box {
  const title: Line = { x: PAD, y: PAD + 12, text: state.key, look: 'title' };
  const chips = chipsOf(state, PAD + textWidth(state.key, TITLE) + 8);
  const lastChip = chips.at(-1);
  const description = wrap(state.description, SMALL, width - 2 * PAD).map((text, i): Line => ({
    x: PAD,
    y: PAD + TITLE_LINE + 11 + i * (LINE - 1),
    text,
    look: 'description',
  }));
  const pills = pillsOf(state, PAD + TITLE_LINE + description.length * (LINE - 1) + GAP);
  const head = PAD + TITLE_LINE + description.length * (LINE - 1) + GAP + pills.height;
  const table = tableOf(state, head + GAP, state.children.length === 0 ? 0 : width - 2 * PAD);
  const right = Math.max(
    lastChip ? lastChip.x + lastChip.width : PAD + textWidth(state.key, TITLE),
    ...description.map(({ x, text }) => x + textWidth(text, SMALL)),
    ...pills.pills.map((pill) => pill.x + pill.width),
    table.width,
  );
  return {
    width: right + PAD,
    height: (table.rows.length === 0 ? head : table.bottom) + PAD - GAP,
    lines: [title, ...description, ...table.captions],
    chips,
    pills: pills.pills,
    ruleY: table.rows.length === 0 ? null : head,
    rows: table.rows,
  };
}

function chipsOf({ tags }: State, start: number): Chip[] {
  let x = start;
  return tags.map((tag) => {
    const chip = { x, y: PAD + 1, width: textWidth(tag, CHIP) + 10, tag };
    x += chip.width + CHIP_GAP;
    return chip;
  });
}

/** Side by side, in as many rows as it takes. */
function pillsOf({ inside }: State, top: number): { pills: Pill[]; height: number } {
  let [x, y] = [PAD, top + 2];
  const pills = inside.map(({ id, key }): Pill => {
    const width = textWidth(key, SMALL) + 14;
    if (x > PAD && x + width > PAD + DESCRIPTION_WIDTH) [x, y] = [PAD, y + PILL_HEIGHT + PILL_GAP];
    const pill = { x, y, width, id, key };
    x += width + PILL_GAP;
    return pill;
  });
  return { pills, height: pills.length === 0 ? 0 : y + PILL_HEIGHT + PILL_GAP - top };
}

/** First what the state does, then the events that it hears. A state with states in it has its events in columns. */
function tableOf(state: State, top: number, room: number) {
  const doing = stack(doingOf(state), PAD, top, ROW_WIDTH);
  const isGroup = state.children.length > 0 && state.rows.length > 0;
  const below = doing.bottom + (isGroup && doing.rows.length > 0 ? GAP : 0);
  const caption: Line = { x: PAD, y: below + 11, text: 'in any of its states', look: 'caption' };
  const hearing = columnsOf(state.rows.map(entryOf), room, isGroup ? below + LINE : below);
  const rows = [...doing.rows, ...hearing.rows];
  return {
    rows,
    captions: isGroup ? [caption] : [],
    bottom: hearing.bottom + GAP,
    width: Math.max(rightOf(rows), isGroup ? PAD + textWidth(caption.text, SMALL) : 0),
  };
}

/** The entries below each other from x and y on, broken into lines of at most `width`. */
export function stack(entries: readonly Entry[], x: number, y: number, width: number) {
  let bottom = y;
  const rows = entries.map(({ sign, text, transition }): Row => {
    const start = x + (sign === null ? 0 : SIGN);
    const lines = wrap(text, SMALL, width).map((part, i): Line => ({
      x: start + (i === 0 ? 0 : INDENT),
      y: bottom + 11 + i * (LINE - 2),
      text: part,
      look: 'row',
    }));
    const row: Row = { x, y: bottom, sign, lines, transition };
    bottom += LINE + (lines.length - 1) * (LINE - 2);
    return row;
  });
  return { rows, bottom };
}

/** More than a few lines go into as many columns as there is room for. */
function columnsOf(entries: readonly Entry[], room: number, top: number) {
  const fitting = Math.floor((room + COLUMN_GAP) / (COLUMN_WIDTH + COLUMN_GAP));
  const count = Math.max(1, Math.min(fitting, Math.ceil(entries.length / COLUMN_LINES)));
  const each = Math.ceil(entries.length / count);
  const step = Math.min(Math.floor((room + COLUMN_GAP) / count), ROW_WIDTH + SIGN + INDENT + COLUMN_GAP);
  const width = count === 1 ? ROW_WIDTH : step - COLUMN_GAP - SIGN - INDENT;
  const columns = Array.from({ length: count }, (_, i) =>
    stack(entries.slice(i * each, (i + 1) * each), PAD + i * step, top, width),
  );
  return {
    rows: columns.flatMap(({ rows }) => rows),
    bottom: Math.max(...columns.map(({ bottom }) => bottom)),
  };
}

export const rightOf = (rows: readonly Row[]): number =>
  Math.max(0, ...rows.flatMap(({ lines }) => lines.map(({ x, text }) => x + textWidth(text, SMALL))));

const doingOf = ({ entry, exit, invokes }: State): Entry[] => [
  ...invokes.map((text): Entry => ({ sign: 'invoke', text, transition: null })),
  ...entry.map((text): Entry => ({ sign: 'entry', text, transition: null })),
  ...exit.map((text): Entry => ({ sign: 'exit', text, transition: null })),
];

const entryOf = (one: Transition): Entry => ({ sign: signOf(one), text: rowText(one), transition: one });

export const signOf = ({ kind }: Transition): Sign => (kind === 'timer' ? 'clock' : kind);

const rowText = ({ text, guard, actions, to }: Transition): string =>
  [
    text,
    guard === null ? '' : `[${guard}]`,
    to === null ? '' : `→ ${to.slice(to.lastIndexOf('.') + 1)}`,
    to === null && actions.length > 0 ? `/ ${actions.join(', ')}` : '',
    to === null && actions.length === 0 ? '(nothing to do)' : '',
  ]
    .filter(Boolean)
    .join(' ');

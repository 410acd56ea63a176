/** What stands on the arrows of a sheet. */
import { rightOf, signOf, stack, type Entry, type Row } from './boxes.ts';
import type { Edge, State, Transition } from './chart.ts';
import type { Sheet } from './sheets.ts';

const PAD = 5;
const WIDTH = 170;

/** Each event of an edge in one line or more. x and y as in a box. */
export interface EdgeLabel {
  width: number;
  height: number;
  rows: Row[];
}

/** @returns the label of each of the sheet's edges, in their order */
export function labelsOf({ root, edges }: Sheet): EdgeLabel[] {
  const initials = new Map(statesOf(root).map(({ id, initial }) => [id, initial]));
  return edges.map((edge) => {
    const elsewhere = edges.filter((one) => one.from === edge.from && one !== edge);
    const taken = new Set(elsewhere.flatMap((one) => one.transitions.map(conditionOf)));
    const texts = edge.transitions.map((one) => ({ one, text: textOf(one, edge, initials, taken) }));
    return labelOf(linesOf(texts));
  });
}

const statesOf = (state: State): State[] => [state, ...state.children.flatMap(statesOf)];

interface Told {
  one: Transition;
  /** The event, without its guard. */
  text: string;
}

/**
 * Names the inner state that an arrow leaves from, if another arrow from the same closed state would otherwise read the
 * same.
 */
function textOf(
  one: Transition,
  { from, to }: Edge,
  initials: ReadonlyMap<string, string | null>,
  taken: ReadonlySet<string>,
): string {
  const speaker = one.from !== from && taken.has(conditionOf(one)) ? `${partOf(one.from, from)}:` : '';
  const into =
    one.to === null || one.to === to || one.to === initials.get(to) ? '' : `→ ${partOf(one.to, to)}`;
  return [speaker, one.text, into].filter(Boolean).join(' ');
}

/** The state directly inside a closed state to which the id belongs. */
const partOf = (id: string, closed: string): string => id.slice(closed.length + 1).split('.', 1)[0] ?? id;

const conditionOf = ({ kind, text, guard }: Transition): string => `${kind} ${text} ${guard ?? ''}`;

/** The same event under several guards is one line. So is an event that leads the same way from several states. */
function linesOf(texts: readonly Told[]): Entry[] {
  const groups = Map.groupBy(texts, ({ one, text }) => `${one.kind} ${text}`);
  return [...groups.values()].flatMap((group) =>
    group.slice(0, 1).map(({ one, text }): Entry => ({
      sign: one.kind === 'timer' || one.kind === 'always' ? signOf(one) : null,
      text: [text, guardsOf(group.map((told) => told.one))].filter(Boolean).join(' '),
      transition: one,
    })),
  );
}

function guardsOf(transitions: readonly Transition[]): string {
  const guards = transitions.map(({ guard }) => guard);
  if (guards.includes(null)) return '';
  return `[${[...new Set(guards)].join(' or ')}]`;
}

function labelOf(lines: readonly Entry[]): EdgeLabel {
  const { rows, bottom } = stack(lines, PAD, 1, WIDTH);
  return { width: Math.max(rightOf(rows), PAD + 12) + PAD, height: bottom + 1, rows };
}

/**
 * A chart in sheets that can be read at a glance: the top level with every compound state closed, and a sheet for the
 * inside of each closed state. Arrows lead between states of one parent only, so no arrow crosses a border.
 */
import type { Chart, Edge, State, Transition } from './chart.ts';

export interface Sheet {
  root: State;
  /** An edge from a state to one of its own states stands for "in any of its states". */
  edges: Edge[];
}

/** @returns the top level first, then the insides of the closed states in the order of the chart */
export function sheetsOf({ root, edges }: Chart): Sheet[] {
  const parents = parentsOf(root);
  const lifted = [...edges, ...edgesIntoOwnStates(root)].map((edge) => lift(edge, parents));
  const exits = Map.groupBy(
    lifted.flatMap(({ from, transitions }) => transitions.filter((one) => one.from !== from)),
    ({ from }) => from,
  );
  return sheetsFrom(
    withRowsOf(root, exits),
    '',
    Map.groupBy(merged(lifted), ({ within }) => within),
  );
}

/** An edge between two states of one parent, or from that parent to a state of its own. */
interface LiftedEdge extends Edge {
  within: string;
}

function parentsOf(root: State): Map<string, string> {
  const pairs = (state: State): [string, string][] =>
    state.children.flatMap((child): [string, string][] => [[child.id, state.id], ...pairs(child)]);
  return new Map(pairs(root));
}

/** A state and all that it stands in, the outermost first. */
function lineageOf(id: string, parents: ReadonlyMap<string, string>): string[] {
  const parent = parents.get(id);
  return parent === undefined ? [id] : [...lineageOf(parent, parents), id];
}

function lift(edge: Edge, parents: ReadonlyMap<string, string>): LiftedEdge {
  const from = lineageOf(edge.from, parents);
  const to = lineageOf(edge.to, parents);
  const split = to.findIndex((id, i) => id !== from[i]);
  return {
    ...edge,
    within: to[split - 1] ?? edge.from,
    from: from[split] ?? edge.from,
    to: to[split] ?? edge.to,
  };
}

function merged(edges: readonly LiftedEdge[]): LiftedEdge[] {
  const groups = Map.groupBy(edges, ({ from, to, look }) => [from, to, look].join(' '));
  return [...groups.values()].flatMap((group) => {
    const transitions = group.flatMap((one) => one.transitions);
    return group.slice(0, 1).map((first) => ({ ...first, transitions }));
  });
}

const isInto = (state: State, { to }: Transition): boolean => to?.startsWith(`${state.id}.`) ?? false;

/** Edges for events that are heard in any of a state's states and lead to one of them. */
function edgesIntoOwnStates(state: State): Edge[] {
  const own = state.rows.flatMap((row): Edge[] => {
    if (row.to === null || !isInto(state, row)) return [];
    return [
      { from: state.id, to: row.to, look: row.kind === 'done' ? 'event' : row.kind, transitions: [row] },
    ];
  });
  return [...own, ...state.children.flatMap(edgesIntoOwnStates)];
}

/** If an arrow begins at a border around a state, the state's own box names the transition as well. */
function withRowsOf(state: State, exits: ReadonlyMap<string, Transition[]>): State {
  return {
    ...state,
    rows: [...state.rows.filter((row) => !isInto(state, row)), ...(exits.get(state.id) ?? [])],
    children: state.children.map((child) => withRowsOf(child, exits)),
  };
}

/** @param around the closed states that the sheet stands in, for its title */
function sheetsFrom(state: State, around: string, edges: ReadonlyMap<string, LiftedEdge[]>): Sheet[] {
  const { open, closed } = opened({ ...state, key: `${around}${state.key}` });
  const [root = state] = open;
  const inside = state.id.includes('.') ? `${root.key} › ` : '';
  return [
    { root, edges: open.flatMap(({ id }) => edges.get(id) ?? []) },
    ...closed.flatMap((one) => sheetsFrom(one, inside, edges)),
  ];
}

/** Regions and what holds them are open: side by side they are the picture. Any other state with states in it is closed. */
function opened(state: State): { open: State[]; closed: State[] } {
  const inner: State[] = [];
  const closed: State[] = [];
  const children = state.children.map((child) => {
    if (child.children.length === 0) return child;
    if (state.kind === 'parallel' || child.kind === 'parallel') {
      const parts = opened(child);
      inner.push(...parts.open);
      closed.push(...parts.closed);
      return parts.open[0] ?? child;
    }
    closed.push(child);
    return closedBox(child);
  });
  return { open: [{ ...state, children }, ...inner], closed };
}

const closedBox = (state: State): State => ({
  ...state,
  entry: [],
  exit: [],
  invokes: [],
  rows: [],
  children: [],
  inside: state.children.map(({ id, key }) => ({ id, key })),
});

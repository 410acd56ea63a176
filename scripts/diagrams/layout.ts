/** Where everything goes: ELK's layered layout of each sheet, and the sheets beside or below each other. */
import ELK from 'elkjs';
import type { ElkExtendedEdge, ElkNode, ElkPoint } from 'elkjs';
import { ANY_STATE, boxOf, type Box } from './boxes.ts';
import type { Chart, Edge, State } from './chart.ts';
import { labelsOf, type EdgeLabel } from './labels.ts';
import { arranged } from './pack.ts';
import { sheetsOf, type Sheet } from './sheets.ts';

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface PlacedState extends Rect {
  state: State;
  box: Box;
}

export interface PlacedEdge {
  edge: Edge;
  points: ElkPoint[];
  label: Rect & EdgeLabel;
}

/** The arrow from the dot to the state that is entered first. */
export interface PlacedInitial {
  of: string;
  dot: Rect;
  points: ElkPoint[];
}

/** Where the arrows begin that hold in any state of the one that it is in. */
export interface PlacedAny extends Rect {
  of: string;
}

interface PlacedSheet extends Rect {
  /** The state whose inside the sheet shows; the machine's root for the top level. */
  of: string;
}

/** What a sheet holds, or all sheets together. */
export interface Placed {
  width: number;
  height: number;
  /** Parents before their children. A closed state stands here twice: closed, and as the root of its own sheet. */
  states: PlacedState[];
  edges: PlacedEdge[];
  initials: PlacedInitial[];
  anys: PlacedAny[];
}

export interface Drawing extends Placed {
  id: string;
  /** The top level first. */
  sheets: PlacedSheet[];
}

const DOT = 10;
const INSET = 14;

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'SEPARATE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.edgeLabel': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '26',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.layered.thoroughness': '40',
};

/** States of one layer begin at the same height. */
const TOP = { 'elk.alignment': 'TOP' };

/** The regions of a parallel state know nothing of each other: they stand side by side, in their order. */
const REGIONS = {
  'elk.algorithm': 'rectpacking',
  'elk.hierarchyHandling': 'SEPARATE_CHILDREN',
  'elk.aspectRatio': '2.2',
};

export async function layOut(chart: Chart): Promise<Drawing> {
  const sheets = await Promise.all(sheetsOf(chart).map(layOutSheet));
  return { id: chart.id, ...arranged(sheets) };
}

/** In two passes: the first tells how wide the states with states in them are, and so how their heads break into lines. */
async function layOutSheet(sheet: Sheet): Promise<Placed> {
  const first = await pass(sheet, new Map());
  return pass(sheet, new Map(first.states.map(({ state, width }) => [state.id, width])));
}

async function pass(sheet: Sheet, widths: ReadonlyMap<string, number>): Promise<Placed> {
  const { root, edges } = sheet;
  const boxes = new Map(
    statesOf(root).map((state) => [
      state.id,
      boxOf(state, state.children.length === 0 ? undefined : widths.get(state.id)),
    ]),
  );
  const labels = labelsOf(sheet);
  const anys = new Set(edges.filter((edge) => isFromAny(edge, root)).map(({ from }) => from));
  const graph: ElkNode = {
    id: 'drawing',
    layoutOptions: { ...OPTIONS, 'elk.padding': '[top=0,left=0,bottom=0,right=0]' },
    children: [nodeOf(root, boxes, anys)],
    edges: [...initialEdges(root), ...edges.map((edge, i) => edgeOf(edge, i, labels[i], anys))],
  };
  return read(sheet, await new ELK.default().layout(graph), boxes, labels);
}

function statesOf(state: State): State[] {
  return [state, ...state.children.flatMap(statesOf)];
}

/** An edge from a state to one that is in it begins in the state's "in any state". */
const isFromAny = ({ from, to }: Edge, root: State): boolean =>
  statesOf(root).some(({ id, children }) => id === from && children.some((child) => child.id === to));

const anyOf = (id: string): string => `${id} any`;

const boxAt = (boxes: ReadonlyMap<string, Box>, id: string): Box => {
  const box = boxes.get(id);
  if (box === undefined) throw new Error(`There is no state ${id}.`);
  return box;
};

function nodeOf(state: State, boxes: ReadonlyMap<string, Box>, anys: ReadonlySet<string>): ElkNode {
  const { width, height } = boxAt(boxes, state.id);
  if (state.children.length === 0) return { id: state.id, width, height, layoutOptions: TOP };
  const dot: ElkNode = { id: `${state.id} initial`, width: DOT, height: DOT };
  const any: ElkNode = { id: anyOf(state.id), ...ANY_STATE };
  return {
    id: state.id,
    layoutOptions: {
      ...OPTIONS,
      ...TOP,
      'elk.padding': `[top=${height + 8},left=${INSET},bottom=${INSET},right=${INSET}]`,
      // The head of a state may be wider than the states in it.
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width}, 0)`,
      ...(state.kind === 'parallel' && REGIONS),
    },
    children: [
      ...(state.initial === null ? [] : [dot]),
      ...state.children.map((one) => nodeOf(one, boxes, anys)),
      ...(anys.has(state.id) ? [any] : []),
    ],
  };
}

const initialEdges = (root: State): ElkExtendedEdge[] =>
  statesOf(root).flatMap(({ id, initial, children }) =>
    initial === null || children.length === 0
      ? []
      : [
          {
            id: `${id} start`,
            sources: [`${id} initial`],
            targets: [initial],
            layoutOptions: {
              'elk.layered.priority.shortness': '10',
              'elk.layered.priority.straightness': '10',
            },
          },
        ],
  );

const edgeOf = (
  { from, to }: Edge,
  i: number,
  label: EdgeLabel | undefined,
  anys: ReadonlySet<string>,
): ElkExtendedEdge => ({
  id: `edge ${i}`,
  sources: [anys.has(from) ? anyOf(from) : from],
  targets: [to],
  labels:
    label === undefined || label.rows.length === 0
      ? []
      : [
          {
            text: 'label',
            width: label.width,
            height: label.height,
            layoutOptions: { 'elk.edgeLabels.inline': 'true' },
          },
        ],
});

function read(
  sheet: Sheet,
  placed: ElkNode,
  boxes: ReadonlyMap<string, Box>,
  labels: readonly EdgeLabel[],
): Placed {
  const nodes = new Map(nodesOf(placed).map((node) => [node.id, rectOf(node)]));
  const edges = new Map(edgesOf(placed).map((edge) => [edge.id, edge]));
  const rectAt = (id: string): Rect => nodes.get(id) ?? rectOf({});
  return {
    width: Math.ceil(placed.width ?? 0),
    height: Math.ceil(placed.height ?? 0),
    states: statesOf(sheet.root).map((state) => ({
      state,
      box: boxAt(boxes, state.id),
      ...rectAt(state.id),
    })),
    edges: sheet.edges.flatMap((edge, i) => {
      const found = edges.get(`edge ${i}`);
      const label = labels[i];
      if (found === undefined || label === undefined) return [];
      return [{ edge, points: pointsOf(found), label: { ...label, ...rectOf(found.labels?.[0] ?? {}) } }];
    }),
    initials: statesOf(sheet.root).flatMap(({ id, initial }) => {
      const found = edges.get(`${id} start`);
      if (initial === null || found === undefined) return [];
      return [{ of: id, dot: rectAt(`${id} initial`), points: pointsOf(found) }];
    }),
    anys: statesOf(sheet.root).flatMap(({ id }) => {
      const found = nodes.get(anyOf(id));
      return found === undefined ? [] : [{ of: id, ...found }];
    }),
  };
}

const nodesOf = (node: ElkNode): ElkNode[] => [node, ...(node.children ?? []).flatMap(nodesOf)];

const edgesOf = (node: ElkNode): ElkExtendedEdge[] => [
  ...(node.edges ?? []),
  ...(node.children ?? []).flatMap(edgesOf),
];

const rectOf = ({ x = 0, y = 0, width = 0, height = 0 }: Partial<Rect>): Rect => ({ x, y, width, height });

const pointsOf = ({ sections = [] }: ElkExtendedEdge): ElkPoint[] =>
  sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]);

/** Where everything goes: ELK's layered layout over the whole tree of states at once. */
import ELK from 'elkjs';
import type { ElkExtendedEdge, ElkNode, ElkPoint } from 'elkjs';
import { boxOf, labelOf, type Box, type EdgeLabel } from './boxes.ts';
import type { Chart, Edge, State } from './chart.ts';

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

export interface Drawing {
  id: string;
  width: number;
  height: number;
  /** Parents before their children. */
  states: PlacedState[];
  edges: PlacedEdge[];
  initials: PlacedInitial[];
}

const DOT = 10;
const INSET = 14;

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
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

/** In two passes: the first tells how wide the states with states in them are, and so how their heads break into lines. */
export async function layOut(chart: Chart): Promise<Drawing> {
  const first = await pass(chart, new Map());
  return pass(chart, new Map(first.states.map(({ state, width }) => [state.id, width])));
}

async function pass(chart: Chart, widths: ReadonlyMap<string, number>): Promise<Drawing> {
  const boxes = new Map(
    statesOf(chart.root).map((state) => [
      state.id,
      boxOf(state, state.children.length === 0 ? undefined : widths.get(state.id)),
    ]),
  );
  const labels = chart.edges.map(labelOf);
  const graph: ElkNode = {
    id: 'drawing',
    layoutOptions: { ...OPTIONS, 'elk.padding': '[top=0,left=0,bottom=0,right=0]' },
    children: [nodeOf(chart.root, boxes)],
    edges: [...initialEdges(chart), ...chart.edges.map((edge, i) => edgeOf(edge, i, labels[i]))],
  };
  return read(chart, await new ELK.default().layout(graph), boxes, labels);
}

function statesOf(state: State): State[] {
  return [state, ...state.children.flatMap(statesOf)];
}

const boxAt = (boxes: ReadonlyMap<string, Box>, id: string): Box => {
  const box = boxes.get(id);
  if (box === undefined) throw new Error(`There is no state ${id}.`);
  return box;
};

function nodeOf(state: State, boxes: ReadonlyMap<string, Box>): ElkNode {
  const { width, height } = boxAt(boxes, state.id);
  if (state.children.length === 0) return { id: state.id, width, height, layoutOptions: TOP };
  const dot: ElkNode = { id: `${state.id} initial`, width: DOT, height: DOT };
  return {
    id: state.id,
    layoutOptions: {
      ...OPTIONS,
      ...TOP,
      'elk.padding': `[top=${height + 8},left=${INSET},bottom=${INSET},right=${INSET}]`,
      ...(state.kind === 'parallel' && REGIONS),
    },
    children: [...(state.initial === null ? [] : [dot]), ...state.children.map((one) => nodeOf(one, boxes))],
  };
}

const initialEdges = ({ root }: Chart): ElkExtendedEdge[] =>
  statesOf(root).flatMap(({ id, initial }) =>
    initial === null
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

const edgeOf = ({ from, to }: Edge, i: number, label: EdgeLabel | undefined): ElkExtendedEdge => ({
  id: `edge ${i}`,
  sources: [from],
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
  chart: Chart,
  placed: ElkNode,
  boxes: ReadonlyMap<string, Box>,
  labels: readonly EdgeLabel[],
): Drawing {
  const nodes = new Map(nodesOf(placed).map((node) => [node.id, rectOf(node)]));
  const edges = new Map(edgesOf(placed).map((edge) => [edge.id, edge]));
  const rectAt = (id: string): Rect => nodes.get(id) ?? rectOf({});
  return {
    id: chart.id,
    width: Math.ceil(placed.width ?? 0),
    height: Math.ceil(placed.height ?? 0),
    states: statesOf(chart.root).map((state) => ({
      state,
      box: boxAt(boxes, state.id),
      ...rectAt(state.id),
    })),
    edges: chart.edges.flatMap((edge, i) => {
      const found = edges.get(`edge ${i}`);
      const label = labels[i];
      if (found === undefined || label === undefined) return [];
      return [{ edge, points: pointsOf(found), label: { ...label, ...rectOf(found.labels?.[0] ?? {}) } }];
    }),
    initials: statesOf(chart.root).flatMap(({ id, initial }) => {
      const found = edges.get(`${id} start`);
      if (initial === null || found === undefined) return [];
      return [{ of: id, dot: rectAt(`${id} initial`), points: pointsOf(found) }];
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

/** Finds what makes a drawing hard to read. Each complaint names the two things that are too close or cross. */
import type { Drawing, PlacedEdge, PlacedState, Rect } from '../../scripts/diagrams/layout.ts';

type Point = PlacedEdge['points'][number];
type Segment = readonly [Point, Point];

/** Lines that run closer than this beside each other cannot be told apart, in pixels. */
const APART = 3;

export function flawsOf(drawing: Drawing): string[] {
  return [
    ...labelsOnLabels(drawing),
    ...labelsOnStates(drawing),
    ...linesThroughLabels(drawing),
    ...linesThroughStates(drawing),
    ...linesThroughBorders(drawing),
    ...sameLabels(drawing),
    ...startsThroughLabels(drawing),
    ...linesOnLines(drawing),
    ...slantedLines(drawing),
    ...textPastItsBox(drawing),
  ];
}

const nameOf = ({ edge: { from, to, transitions } }: PlacedEdge): string =>
  `${from} -> ${to} (${transitions.map(({ event }) => event).join(', ')})`;

const meet = (a: Rect, b: Rect): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

const pairs = <T>(items: readonly T[]): [T, T][] =>
  items.flatMap((a, i) => items.slice(i + 1).map((b): [T, T] => [a, b]));

const labelsOnLabels = ({ edges }: Drawing): string[] =>
  pairs(edges)
    .filter(([a, b]) => meet(a.label, b.label))
    .map(([a, b]) => `the labels of ${nameOf(a)} and ${nameOf(b)}`);

/** The part of a state that no line may cross: all of a plain state, and the head of a state that holds others. */
const solidOf = ({ state, box, x, y, width, height }: PlacedState): Rect =>
  state.children.length === 0 ? { x, y, width, height } : { x, y, width: box.width, height: box.height };

const labelsOnStates = ({ edges, states }: Drawing): string[] =>
  edges.flatMap((edge) =>
    states
      .filter((state) => meet(edge.label, solidOf(state)))
      .map(({ state }) => `the label of ${nameOf(edge)} and ${state.id}`),
  );

const segmentsOf = ({ points }: Pick<PlacedEdge, 'points'>): Segment[] =>
  points.flatMap((point, i): Segment[] => {
    const before = points[i - 1];
    return before === undefined ? [] : [[before, point]];
  });

/** A line as a very thin rectangle. */
const rectOf = ([a, b]: Segment): Rect => ({
  x: Math.min(a.x, b.x),
  y: Math.min(a.y, b.y),
  width: Math.abs(a.x - b.x) || 0.1,
  height: Math.abs(a.y - b.y) || 0.1,
});

const shrink = ({ x, y, width, height }: Rect, by: number): Rect => ({
  x: x + by,
  y: y + by,
  width: width - 2 * by,
  height: height - 2 * by,
});

const linesThroughLabels = ({ edges }: Drawing): string[] =>
  edges.flatMap((line) =>
    edges
      .filter((other) => other !== line && segmentsOf(line).some((one) => meet(rectOf(one), other.label)))
      .map((other) => `${nameOf(line)} runs through the label of ${nameOf(other)}`),
  );

const startsThroughLabels = ({ edges, initials }: Drawing): string[] =>
  initials.flatMap((start) =>
    edges
      .filter(
        ({ label }) => meet(start.dot, label) || segmentsOf(start).some((one) => meet(rectOf(one), label)),
      )
      .map((edge) => `the start of ${start.of} runs through the label of ${nameOf(edge)}`),
  );

const linesThroughStates = ({ edges, states }: Drawing): string[] =>
  edges.flatMap((line) =>
    states
      .filter((state) => segmentsOf(line).some((one) => meet(rectOf(one), shrink(solidOf(state), 1))))
      .map(({ state }) => `${nameOf(line)} runs through ${state.id}`),
  );

/** An arrow begins and ends at a border and meets no other: it would cross a state. */
const linesThroughBorders = ({ edges, states }: Drawing): string[] =>
  edges.flatMap((line) =>
    states
      .filter(({ state }) => state.id !== line.edge.from && state.id !== line.edge.to)
      .filter((state) =>
        segmentsOf(line).some((one) => bordersOf(state).some((border) => meet(rectOf(one), border))),
      )
      .map(({ state }) => `${nameOf(line)} crosses the border of ${state.id}`),
  );

const bordersOf = ({ x, y, width, height }: Rect): Rect[] => [
  { x, y, width, height: 0.1 },
  { x, y: y + height, width, height: 0.1 },
  { x, y, width: 0.1, height },
  { x: x + width, y, width: 0.1, height },
];

/** Two lines of text that read the same on the arrows of one state. A message may go to several machines. */
function sameLabels({ edges }: Drawing): string[] {
  const transitions = edges.filter(({ edge }) => edge.look !== 'message');
  const labels = transitions.flatMap(({ edge: { from, look }, label: { rows } }) =>
    rows.map(({ sign, lines }) => `${from}: ${sign ?? look} ${lines.map(({ text }) => text).join(' ')}`),
  );
  return labels.filter((label, i) => labels.indexOf(label) !== i).map((label) => `twice from ${label}`);
}

const linesOnLines = ({ edges }: Drawing): string[] =>
  pairs(edges)
    .filter(([a, b]) => segmentsOf(a).some((one) => segmentsOf(b).some((two) => alongside(one, two))))
    .map(([a, b]) => `${nameOf(a)} runs on ${nameOf(b)}`);

const isUpright = ([a, b]: Segment): boolean => Math.abs(a.x - b.x) < 0.01;

/** Whether two lines run in the same direction and too close to be told apart. */
function alongside(one: Segment, two: Segment): boolean {
  if (isUpright(one) !== isUpright(two)) return false;
  const [a, b] = [rectOf(one), rectOf(two)];
  const wide = isUpright(one)
    ? { ...a, x: a.x - APART, width: 2 * APART }
    : { ...a, y: a.y - APART, height: 2 * APART };
  return meet(wide, b);
}

const slantedLines = ({ edges }: Drawing): string[] =>
  edges
    .filter((edge) =>
      segmentsOf(edge).some(([a, b]) => Math.abs(a.x - b.x) > 0.01 && Math.abs(a.y - b.y) > 0.01),
    )
    .map((edge) => `${nameOf(edge)} is slanted`);

const textPastItsBox = ({ states }: Drawing): string[] =>
  states
    .filter(({ box, width, height }) => box.width > width || box.height > height)
    .map(
      ({ state, box, width, height }) =>
        `the text of ${state.id} (${box.width} x ${box.height}) is larger than its box (${width} x ${height})`,
    );

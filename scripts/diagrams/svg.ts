/** A drawing as SVG: text as text, no script, nothing from elsewhere. */
import type { ElkPoint } from 'elkjs';
import { ANY_TEXT, CHIP_HEIGHT, LINE, PAD, PILL_HEIGHT, type Row, type Sign } from './boxes.ts';
import type { State, Transition } from './chart.ts';
import type { Drawing, PlacedAny, PlacedEdge, PlacedInitial, PlacedState, Rect } from './layout.ts';
import { styleOf } from './style.ts';

const CORNER = 6;
const HEAD = 7;
/** Around the drawing, in pixels. */
export const MARGIN = 8;

type Attributes = Record<string, string | number | undefined>;

const escape = (text: string): string => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);

function element(name: string, attributes: Attributes, ...inner: string[]): string {
  const told = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? round(value) : escape(value ?? '')}"`)
    .join('');
  return inner.length === 0 ? `<${name}${told}/>` : `<${name}${told}>${inner.join('')}</${name}>`;
}

/** Tenths of a pixel. With more digits, drawings would differ after every tiny change of the layout. */
const round = (n: number): number => Math.round(n * 10) / 10;

const textAt = (x: number, y: number, text: string, look?: string): string =>
  element('text', { x, y, class: look }, escape(text));

const rect = ({ x, y, width, height }: Rect, attributes: Attributes): string =>
  element('rect', { x, y, width, height, ...attributes });

/** @param title what the drawing shows, for those who cannot see it */
export function svgOf(drawing: Drawing, title: string): string {
  const { id, width, height } = drawing;
  const scope = `machine-${id}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="${scope}" viewBox="${-MARGIN} ${-MARGIN} ${width + 2 * MARGIN} ${height + 2 * MARGIN}" width="${width + 2 * MARGIN}" height="${height + 2 * MARGIN}" role="img" aria-label="${escape(title)}">`,
    `<style>\n${styleOf(scope)}\n</style>`,
    ...drawing.states.map((state) => stateGroup(state, drawing)),
    ...drawing.anys.map(anyGroup),
    ...drawing.initials.map(initialGroup),
    ...drawing.edges.map(edgeGroup),
    '</svg>\n',
  ].join('\n');
}

function stateGroup(placed: PlacedState, drawing: Drawing): string {
  const { state, box, x, y, width, height } = placed;
  return element(
    'g',
    { class: looksOf(state, drawing).join(' '), 'data-id': state.id },
    element('title', {}, escape(`${state.id}: ${state.description}`)),
    rect(placed, { class: 'box', rx: 8 }),
    state.kind === 'final'
      ? rect({ x: x + 3, y: y + 3, width: width - 6, height: height - 6 }, { class: 'inner', rx: 6 })
      : '',
    ...box.lines.map((line) => textAt(x + line.x, y + line.y, line.text, line.look)),
    ...box.chips.map(({ tag, ...chip }) =>
      element(
        'g',
        { class: `chip tag-${tag}` },
        rect({ x: x + chip.x, y: y + chip.y, width: chip.width, height: CHIP_HEIGHT }, { rx: 6 }),
        textAt(x + chip.x + 5, y + chip.y + 9.5, tag),
      ),
    ),
    ...box.pills.map(({ id, key, ...pill }) =>
      element(
        'g',
        { class: 'pill', 'data-id': id },
        rect(
          { x: x + pill.x, y: y + pill.y, width: pill.width, height: PILL_HEIGHT },
          { class: 'box', rx: 4 },
        ),
        textAt(x + pill.x + 7, y + pill.y + 12, key),
      ),
    ),
    box.ruleY === null
      ? ''
      : element('line', {
          class: 'rule',
          x1: x + PAD,
          x2: x + width - PAD,
          y1: y + box.ruleY,
          y2: y + box.ruleY,
        }),
    ...box.rows.map((row) => rowGroup(row, x, y)),
  );
}

/** A closed state is drawn once as `state` and its inside as `panel`, so that a state stands under its id once. */
function looksOf(state: State, { sheets, states }: Drawing): string[] {
  const parent = states.find((one) => one.state.children.includes(state));
  const isPanel = parent === undefined && state.id !== sheets[0]?.of;
  return [
    isPanel ? 'panel' : 'state',
    state.kind === 'parallel' ? 'compound parallel' : state.kind,
    ...(state.inside.length > 0 ? ['closed'] : []),
    ...(parent?.state.kind === 'parallel' ? ['region'] : []),
    ...(parent === undefined && !isPanel ? ['root'] : []),
  ];
}

const anyGroup = (placed: PlacedAny): string =>
  element(
    'g',
    { class: 'any', 'data-of': placed.of },
    rect(placed, { rx: placed.height / 2 }),
    textAt(placed.x + 8, placed.y + 13.5, ANY_TEXT),
  );

function rowGroup(row: Row, x: number, y: number): string {
  const { transition } = row;
  const text = [
    signPath(row.sign, x + row.x, y + row.y),
    ...row.lines.map((line) => textAt(x + line.x, y + line.y, line.text)),
  ];
  if (transition === null) return element('g', { class: `row ${row.sign}` }, ...text);
  return element(
    'g',
    { class: `edge row ${transition.kind}`, ...dataOf([transition]) },
    element('title', {}, escape(told(transition))),
    ...text,
  );
}

/** The transitions in lists of the same length; `-` stands for no target. */
const dataOf = (transitions: readonly Transition[]): Attributes => ({
  'data-from': transitions.map(({ from }) => from).join(' '),
  'data-to': transitions.map(({ to }) => to ?? '-').join(' '),
  'data-event': transitions.map(({ event }) => event).join(' '),
  'data-index': transitions.map(({ index }) => index).join(' '),
});

/** A transition in words, with its actions. */
const told = ({ from, to, kind, text, guard, actions }: Transition): string =>
  [
    from,
    `${{ event: 'on', timer: 'after', done: 'on', error: 'on', always: 'always' }[kind]} ${text}`.trim(),
    guard === null ? '' : `when ${guard}`,
    to === null ? '' : `to ${to}`,
    actions.length === 0 ? '' : `doing ${actions.join(', ')}`,
  ]
    .filter(Boolean)
    .join(' ');

function edgeGroup({ edge, points, label }: PlacedEdge): string {
  const { look, transitions } = edge;
  return element(
    'g',
    { class: `edge ${look}`, ...dataOf(transitions) },
    transitions.length === 0 ? '' : element('title', {}, escape(transitions.map(told).join('\n'))),
    ...arrow(points),
    transitions.length === 0 ? '' : labelGroup(label),
  );
}

const labelGroup = (label: PlacedEdge['label']): string =>
  element(
    'g',
    { class: 'label' },
    rect(label, { class: 'paper', rx: 3 }),
    ...label.rows.flatMap((row) => [
      signPath(row.sign, label.x + row.x, label.y + row.y),
      ...row.lines.map((line) => textAt(label.x + line.x, label.y + line.y, line.text)),
    ]),
  );

const initialGroup = ({ of, dot, points }: PlacedInitial): string =>
  element(
    'g',
    { class: 'start', 'data-of': of },
    element('circle', {
      class: 'dot',
      cx: dot.x + dot.width / 2,
      cy: dot.y + dot.height / 2,
      r: dot.width / 2,
    }),
    ...arrow(points),
  );

function arrow(points: readonly ElkPoint[]): string[] {
  const tip = points.at(-1);
  const before = points.at(-2);
  if (tip === undefined || before === undefined) return [];
  const [dx, dy] = [Math.sign(tip.x - before.x), Math.sign(tip.y - before.y)];
  const neck = { x: tip.x - dx * HEAD, y: tip.y - dy * HEAD };
  const half = HEAD / 2;
  const head = [
    tip,
    { x: neck.x - dy * half, y: neck.y - dx * half },
    { x: neck.x + dy * half, y: neck.y + dx * half },
  ];
  return [
    element('path', { class: 'line', d: rounded([...points.slice(0, -1), neck]) }),
    element('path', { class: 'head', d: `M${head.map(at).join('L')}Z` }),
  ];
}

const at = ({ x, y }: ElkPoint): string => `${round(x)} ${round(y)}`;

/** The line through all points, its corners rounded. */
function rounded(points: readonly ElkPoint[]): string {
  return points
    .map((point, i) => {
      const before = points[i - 1];
      const after = points[i + 1];
      if (before === undefined) return `M${at(point)}`;
      if (after === undefined) return `L${at(point)}`;
      const radius = Math.min(CORNER, distance(before, point) / 2, distance(point, after) / 2);
      return `L${at(towards(point, before, radius))}Q${at(point)} ${at(towards(point, after, radius))}`;
    })
    .join('');
}

const distance = (a: ElkPoint, b: ElkPoint): number => Math.hypot(a.x - b.x, a.y - b.y);

function towards(from: ElkPoint, to: ElkPoint, length: number): ElkPoint {
  const share = distance(from, to) === 0 ? 0 : length / distance(from, to);
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

/** Small signs of twelve pixels, each drawn from its upper left corner. */
const SIGNS: Record<Sign, string> = {
  clock: 'M6 1.5a4.5 4.5 0 1 0 .01 0M6 3.5V6l2 1.2',
  always: 'M6.5 1.5L3 7h2.8L5 10.5 9 5.2H6z',
  invoke: 'M9.8 4.2A4.3 4.3 0 1 0 10.3 6M10.2 1.8v2.6H7.6',
  entry: 'M1 6h6M5 3.8L7.2 6 5 8.2M9.5 2v8',
  exit: 'M2.5 2v8M5 6h6M8.8 3.8L11 6 8.8 8.2',
  event: 'M3 2.5h3v7h3M7.2 7.7L9 9.5 7.2 11.3',
  done: 'M2 6.5l2.5 2.5L10 3.5',
  error: 'M3 3l6 6M9 3l-6 6',
};

const signPath = (sign: Sign | null, x: number, y: number): string =>
  sign === null
    ? ''
    : element('path', {
        class: 'sign',
        transform: `translate(${round(x)} ${round(y + (LINE - 12) / 2)})`,
        d: SIGNS[sign],
      });

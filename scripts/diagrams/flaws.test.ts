import { describe, expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { machines } from '../../machines/index.ts';
import { flawsOf } from '../../test/kits/drawing-flaws.ts';
import { stepsMachine } from '../../test/kits/steps-chart.ts';
import { boxOf, type Row } from './boxes.ts';
import { chartOf, type Edge, type State } from './chart.ts';
import { layOut, type Drawing, type PlacedEdge, type PlacedState } from './layout.ts';
import { sheetsOf } from './sheets.ts';

function state(id: string, x: number, y: number): PlacedState {
  const plain: State = {
    id,
    key: id,
    description: '',
    kind: 'atomic',
    tags: [],
    initial: null,
    entry: [],
    exit: [],
    invokes: [],
    rows: [],
    children: [],
    inside: [],
  };
  return { state: plain, box: boxOf(plain), x, y, width: 100, height: 60 };
}

/** A state with a state in it: only its head is text. */
function group(id: string, x: number, y: number): PlacedState {
  const placed = state(id, x, y);
  return {
    ...placed,
    state: { ...placed.state, kind: 'compound', children: [placed.state] },
    box: { ...placed.box, width: 10, height: 10 },
  };
}

const abort: Row = {
  x: 0,
  y: 0,
  sign: null,
  lines: [{ x: 0, y: 0, text: 'abort', look: 'row' }],
  transition: null,
};

function edge(points: [number, number][], label: [x: number, y: number], rows: Row[] = []): PlacedEdge {
  const told: Edge = { from: 'a', to: 'b', look: 'event', transitions: [] };
  return {
    edge: told,
    points: points.map(([x, y]) => ({ x, y })),
    label: { x: label[0], y: label[1], width: 40, height: 20, rows },
  };
}

const flaws = (part: Partial<Drawing>): string[] =>
  flawsOf({
    id: 'test',
    width: 500,
    height: 500,
    states: [],
    edges: [],
    initials: [],
    anys: [],
    sheets: [],
    ...part,
  });

const straight = edge(
  [
    [50, 60],
    [50, 200],
  ],
  [30, 120],
);

test('two states and a line between them are fine', () => {
  expect(flaws({ states: [state('a', 0, 0), state('b', 0, 200)], edges: [straight] })).toEqual([]);
});

test.each<[string, Partial<Drawing>]>([
  [
    'the labels of',
    {
      edges: [
        straight,
        edge(
          [
            [150, 60],
            [150, 200],
          ],
          [60, 130],
        ),
      ],
    },
  ],
  ['and c', { edges: [straight], states: [state('c', 60, 110)] }],
  [
    'runs through the label of',
    {
      edges: [
        straight,
        edge(
          [
            [0, 130],
            [200, 130],
          ],
          [150, 120],
        ),
      ],
    },
  ],
  ['runs through c', { edges: [straight], states: [state('c', 0, 80)] }],
  [
    'runs on',
    {
      edges: [
        straight,
        edge(
          [
            [52, 60],
            [52, 100],
          ],
          [152, 300],
        ),
      ],
    },
  ],
  [
    'the start of a runs through',
    {
      edges: [straight],
      initials: [
        {
          of: 'a',
          dot: { x: 60, y: 90, width: 10, height: 10 },
          points: [
            { x: 65, y: 100 },
            { x: 65, y: 180 },
          ],
        },
      ],
    },
  ],
  [
    'is slanted',
    {
      edges: [
        edge(
          [
            [50, 60],
            [60, 200],
          ],
          [300, 120],
        ),
      ],
    },
  ],
  ['crosses the border of c', { edges: [straight], states: [group('c', 20, 100)] }],
  [
    'twice from a: event abort',
    {
      edges: [
        { ...straight, label: { ...straight.label, rows: [abort] } },
        edge(
          [
            [350, 60],
            [350, 200],
          ],
          [330, 120],
          [abort],
        ),
      ],
    },
  ],
  ['is larger than its box', { states: [{ ...state('a', 0, 0), width: 10 }] }],
])('sees what is wrong: %s', (complaint, drawing) => {
  expect(flaws(drawing).join('\n')).toContain(complaint);
});

describe('a chart of steps', async () => {
  const chart = chartOf(stepsMachine);
  const drawing = await layOut(chart);
  const [top, ...insides] = sheetsOf(chart);

  test('has none of these flaws', () => {
    expect(flawsOf(drawing)).toEqual([]);
  });

  test('shows its compound states closed, each with its inside in a sheet of its own', () => {
    expect(top?.root.children.map(({ key }) => key)).toEqual(Object.keys(stepsMachine.states));
    expect(top?.root.children.flatMap(({ children }) => children)).toEqual([]);
    expect(insides.map(({ root }) => root.key)).toEqual([
      'reading',
      'queueing',
      'working',
      'answering',
      'answering › completing',
      'answering › posting',
      'answering › checking',
      'answering › marking',
      'parking',
    ]);
  });

  test('has its sheets apart from each other', () => {
    const overlaps = drawing.sheets.flatMap((a, i) =>
      drawing.sheets
        .slice(i + 1)
        .filter((b) => a.x < b.x + b.width && b.x < a.x + a.width)
        .filter((b) => a.y < b.y + b.height && b.y < a.y + a.height),
    );
    expect(drawing.sheets).toHaveLength(10);
    expect(overlaps).toEqual([]);
  });

  test('shows what the root hears once, as one arrow', () => {
    const lines = [
      ...drawing.edges.flatMap(({ label }) => label.rows),
      ...drawing.states.flatMap(({ box }) => box.rows),
    ].map((row) => row.lines.map(({ text }) => text).join(' '));
    expect(lines.filter((line) => line.includes('abort'))).toEqual(['abort']);
  });

  test('says where the way out of a closed state begins, in its inside and where labels would be alike', () => {
    const waiting = drawing.states.find(({ state: { id } }) => id === 'steps.queueing.waiting');
    expect(waiting?.box.rows.map(({ lines }) => lines[0]?.text)).toContain('go → working');
    const labels = drawing.edges
      .filter((one) => one.edge.from === 'steps.queueing')
      .map(({ label }) => label.rows.map(({ lines }) => lines[0]?.text));
    expect(labels).toEqual([['waiting: go'], ['stale: go']]);
  });
});

const registry: AnyStateMachine[] = Object.values(machines);

test.each(registry.map((machine) => [machine.id, machine] as const))(
  '%s has at most nine states on its top level',
  (_, machine) => {
    expect(sheetsOf(chartOf(machine))[0]?.root.children.length).toBeLessThanOrEqual(9);
  },
);

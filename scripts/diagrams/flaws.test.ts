import { expect, test } from 'vitest';
import { boxOf } from './boxes.ts';
import type { Edge, State } from './chart.ts';
import { flawsOf } from '../../test/kits/drawing-flaws.ts';
import type { Drawing, PlacedEdge, PlacedState } from './layout.ts';

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
  };
  return { state: plain, box: boxOf(plain), x, y, width: 100, height: 60 };
}

function edge(points: [number, number][], label: [x: number, y: number]): PlacedEdge {
  const told: Edge = { from: 'a', to: 'b', look: 'event', transitions: [] };
  return {
    edge: told,
    points: points.map(([x, y]) => ({ x, y })),
    label: { x: label[0], y: label[1], width: 40, height: 20, rows: [] },
  };
}

const flaws = (part: Partial<Drawing>): string[] =>
  flawsOf({ id: 'test', width: 500, height: 500, states: [], edges: [], initials: [], ...part });

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
  ['is larger than its box', { states: [{ ...state('a', 0, 0), width: 10 }] }],
])('sees what is wrong: %s', (complaint, drawing) => {
  expect(flaws(drawing).join('\n')).toContain(complaint);
});

/** Every drawing that the repository holds, as it should be. */
import type { AnyStateMachine } from 'xstate';
import { machines } from '../../machines/index.ts';
import { chartOf, type Chart } from './chart.ts';
import { layOut, type Drawing } from './layout.ts';
import { mermaidOf } from './mermaid.ts';
import { svgOf } from './svg.ts';
import { treeChart } from './tree.ts';

export interface Picture {
  chart: Chart;
  drawing: Drawing;
  /** What it shows, in words. */
  title: string;
}

const registry: AnyStateMachine[] = Object.values(machines);

export function drawAll(): Promise<Picture[]> {
  const charts = [
    ...registry.map((machine) => ({ chart: chartOf(machine), title: `The ${machine.id} machine` })),
    { chart: treeChart(), title: 'Which machine starts which, and who tells whom what' },
  ];
  return Promise.all(charts.map(async (one) => ({ ...one, drawing: await layOut(one.chart) })));
}

/** @returns the text of each file by its path from the root of the repository */
export const filesOf = (pictures: readonly Picture[]): Map<string, string> =>
  new Map(
    pictures.flatMap(({ chart, drawing, title }) => [
      [`docs/machines/${chart.id}.svg`, svgOf(drawing, title)],
      ...(chart.id in machines ? ([[`docs/machines/${chart.id}.mmd`, mermaidOf(chart)]] as const) : []),
    ]),
  );

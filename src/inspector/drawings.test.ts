/** What the tap names, the page looks up in the committed drawings: all of it must be there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { machines } from '../../machines/index.ts';
import { edgesOf } from './edges.ts';
import { edgeKey } from './wire.ts';

const DRAWINGS = join(import.meta.dirname, '../../docs/machines');
const registry: [string, AnyStateMachine][] = Object.entries(machines);

const nodesOf = (node: AnyStateNode): AnyStateNode[] => [
  node,
  ...Object.values(node.states).flatMap(nodesOf),
];

describe.each(registry)('%s', (id, machine) => {
  const svg = readFileSync(join(DRAWINGS, `${id}.svg`), 'utf8');
  const nodes = nodesOf(machine.root);

  test('every edge that can be taken is drawn under the name that the tap gives it', () => {
    const drawn = new Set(
      [
        ...svg.matchAll(/data-from="([^"]*)" data-to="[^"]*" data-event="([^"]*)" data-index="([^"]*)"/g),
      ].flatMap(([, ...lists]) => {
        const [from = [], events = [], indexes = []] = lists.map((list) => list.split(' '));
        return from.map((source, i) => edgeKey(source, events[i] ?? '', Number(indexes[i])));
      }),
    );
    const transitions = nodes.flatMap((node) => [
      ...[...node.transitions.values()].flat(),
      ...(node.always ?? []),
    ]);
    const named = edgesOf({ _transitions: transitions });
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((key) => !drawn.has(key))).toEqual([]);
  });

  test('every state is drawn under the name that the page makes of what the tap tells', () => {
    const drawn = new Set([...svg.matchAll(/data-id="([^"]*)"/g)].map(([, one]) => one));
    const named = nodes.map(({ path }) => [machine.id, ...path].join('.'));
    expect(named.filter((state) => !drawn.has(state))).toEqual([]);
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { machines } from '../../machines/index.ts';
import { drawAll, filesOf } from './draw.ts';
import { flawsOf } from '../../test/kits/drawing-flaws.ts';
import { relays, SENDERS } from './tree.ts';

const root = join(import.meta.dirname, '../..');
const pictures = await drawAll();
const files = filesOf(pictures);

test('the drawings in docs/machines are those of the machines', () => {
  const there = readdirSync(join(root, 'docs/machines')).filter((name) => /\.(svg|mmd)$/.test(name));
  expect(there.map((name) => `docs/machines/${name}`).sort()).toEqual([...files.keys()].sort());
  for (const [file, text] of files) {
    const same = readFileSync(join(root, file), 'utf8') === text;
    expect(same, `${file} is not what the code says: run npm run diagrams`).toBe(true);
  }
});

describe.each(pictures)('$chart.id', ({ chart, drawing }) => {
  test('has no label on a label, on a state or on a foreign line, and no line that is lost in another', () => {
    expect(flawsOf(drawing)).toEqual([]);
  });

  test('is a picture and nothing more: no script, no handler, nothing from elsewhere', () => {
    const svg = files.get(`docs/machines/${chart.id}.svg`) ?? '';
    expect(svg).not.toMatch(/<script|<foreignObject|<image|<use|\son\w+=|javascript:|@import|url\(|href=/i);
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:/);
    const style = /<style>([^]*)<\/style>/.exec(svg)?.[1] ?? '';
    const selectors = style
      .replace(/@media [^{]*\{/g, '')
      .split('}')
      .flatMap((rule) => rule.split('{', 1))
      .flatMap((list) => list.split(','))
      .map((selector) => selector.trim())
      .filter(Boolean);
    expect(selectors.length).toBeGreaterThan(30);
    expect(selectors.filter((one) => !one.startsWith(`.machine-${chart.id}`))).toEqual([]);
  });
});

const registry: [string, AnyStateMachine][] = Object.entries(machines);

function* nodesOf(node: AnyStateNode): Generator<AnyStateNode> {
  yield node;
  for (const child of Object.values(node.states)) yield* nodesOf(child);
}

describe.each(registry)('%s', (id, machine) => {
  const svg = files.get(`docs/machines/${id}.svg`) ?? '';
  const nodes = [...nodesOf(machine.root)];

  test('shows every state, with its description', () => {
    const shown = [...svg.matchAll(/class="state [^"]*" data-id="([^"]*)"><title>([^<]*)/g)];
    expect(shown.map(([, one]) => one).sort()).toEqual(nodes.map((node) => node.id).sort());
    for (const [, one = '', title = ''] of shown) expect(title).toMatch(new RegExp(`^${one}: \\S`));
  });

  test('shows every transition, by where it leads from and to, its event and its turn', () => {
    const shown = new Set(
      [
        ...svg.matchAll(
          /<g class="edge [^"]*" data-from="([^"]*)" data-to="([^"]*)" data-event="([^"]*)" data-index="([^"]*)"/g,
        ),
      ].flatMap(([, ...lists]) => {
        const [from = [], ...others] = lists.map((list) => list.split(' '));
        return from.map((source, i) => [source, ...others.map((list) => list[i])].join(' '));
      }),
    );
    const wanted = nodes.flatMap((node) =>
      [...node.transitions, ['', node.always ?? []] as const].flatMap(([event, all]) =>
        all.map(({ target }, turn) => [node.id, target?.[0]?.id ?? '-', event || 'always', turn].join(' ')),
      ),
    );
    expect([...shown].sort()).toEqual(wanted.sort());
  });

  test('has Mermaid source in which every line is a statement and every name is declared', () => {
    const [head, ...lines] = (files.get(`docs/machines/${id}.mmd`) ?? '').trimEnd().split('\n');
    expect(head).toBe('stateDiagram-v2');
    const declared = new Set(['[*]']);
    const used: string[] = [];
    let depth = 0;
    let note = false;
    for (const line of lines.map((one) => one.trim())) {
      if (note) {
        note = line !== 'end note';
        continue;
      }
      const [, opened, brace] = /^state "[^":;#]+" as (\w+)( \{)?$/.exec(line) ?? [];
      const [, from, to] = /^(\S+) --> (\S+)(?: : [^:;#]+)?$/.exec(line) ?? [];
      const [, noted] = /^note right of (\w+)$/.exec(line) ?? [];
      const [, told] = /^(\w+) : [^:;#]+$/.exec(line) ?? [];
      if (opened !== undefined) declared.add(opened);
      used.push(...[from, to, noted, told].filter((one) => one !== undefined));
      if (brace !== undefined) depth += 1;
      if (line === '}') depth -= 1;
      note = noted !== undefined;
      expect(
        [opened, from, noted, told].some((one) => one !== undefined) || line === '}' || line === '--',
        `not Mermaid: ${line}`,
      ).toBe(true);
    }
    expect([depth, note]).toEqual([0, false]);
    expect(used.filter((one) => !declared.has(one))).toEqual([]);
  });
});

/** From outside: signals, and commands that are safe to give; and from any child that reaches the backend again. */
const NOT_FROM_ONE_CHILD = [
  'signal.upgrade',
  'upgrade.check',
  'delivery.poll',
  'gateway.probe',
  'backend.available',
  // Calls to Mission Control show it, whoever makes them.
  'otherRuntime.counted',
  'otherRuntime.sighted',
  'extension.failed',
  'call.hangs',
  'call.ended',
];

test('the tree knows who says what the supervisor passes on', () => {
  const passedOn = relays().map(({ event }) => event);
  expect(new Set(passedOn)).toEqual(
    new Set([...Object.keys(SENDERS), ...passedOn.filter((event) => NOT_FROM_ONE_CHILD.includes(event))]),
  );
});

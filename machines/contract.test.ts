/** The house rules of machines/README.md, held against every machine of the registry. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { machines } from './index.ts';
import { TAGS } from './shared/tags.ts';

const registry: [string, AnyStateMachine][] = Object.entries(machines);

function* nodesOf(node: AnyStateNode): Generator<AnyStateNode> {
  yield node;
  for (const child of Object.values(node.states)) yield* nodesOf(child);
}

const kebab = (id: string): string => id.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const transitionsOf = (node: AnyStateNode) => [...node.transitions.values(), node.always ?? []].flat();

const nameOf = (named: string | { type: string }): string => (typeof named === 'string' ? named : named.type);

/** What XState itself sends; the rest are the machine's own events. */
const isInternal = (event: string): boolean => event === '' || event.startsWith('xstate.');

/** The table of the machines: a machine's row begins with a link to its picture. */
const tableRows = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8').split('\n');

describe.each(registry)('%s', (id, machine) => {
  const nodes = [...nodesOf(machine.root)];

  test('has a row in the table of the machines, with all its states of the top level', () => {
    const row = tableRows.find((line) => line.startsWith(`| [${id}](`)) ?? '';
    const states = (row.split('|')[4] ?? '').match(/[a-zA-Z]+/g) ?? [];
    expect(states).toEqual(expect.arrayContaining(Object.keys(machine.root.states)));
  });

  test('is named like its folder and described', () => {
    expect(machine.id).toBe(id);
    expect(readdirSync(import.meta.dirname)).toContain(kebab(id));
    expect(machine.root.description).toMatch(/\S/);
  });

  test('describes every state', () => {
    expect(nodes.filter(({ description }) => !description).map((node) => node.id)).toEqual([]);
  });

  test('has camelCase state names and tags of the closed set', () => {
    for (const node of nodes.slice(1)) {
      expect(node.key).toMatch(/^[a-z][A-Za-z]*$/);
      expect(TAGS).toEqual(expect.arrayContaining([...node.tags]));
    }
  });

  test('has events that read noun.verb, and no bare wildcard', () => {
    const events = new Set(nodes.flatMap((node) => [...node.transitions.keys()]));
    expect(events).not.toContain('*');
    for (const event of [...events].filter((one) => !isInternal(one))) {
      expect(event).toMatch(/^[a-z][A-Za-z]*\.[a-z][A-Za-z]*$/);
    }
  });

  test('takes the failure of every invoked actor to a state', () => {
    for (const node of nodes) {
      for (const invoked of node.invoke) {
        const handlers = node.transitions.get(`xstate.error.actor.${invoked.id}`) ?? [];
        expect(handlers.length, `${node.id} has no onError for ${invoked.id}`).toBeGreaterThan(0);
        // The last branch must hold always, or a failure could fall through.
        expect(handlers.at(-1)?.guard, `${node.id} may ignore a failure`).toBeUndefined();
        expect(handlers.at(-1)?.target).toBeDefined();
      }
    }
  });

  test('names all its delays and bounds them', () => {
    const delays = nodes.flatMap((node) => node.after.map(({ delay }) => delay));
    expect(delays.filter((delay) => typeof delay !== 'string')).toEqual([]);
    for (const [name, delay] of Object.entries(machine.implementations.delays)) {
      expect(delays, `${name} is not used`).toContain(name);
      if (typeof delay === 'number') expect(delay).toBeLessThanOrEqual(2 ** 31 - 1);
    }
  });

  test('implements every guard, action and actor that it names', () => {
    const { guards, actions, actors } = machine.implementations;
    for (const node of nodes) {
      for (const { src } of node.invoke) {
        expect(actors).toHaveProperty([typeof src === 'string' ? src : 'an unnamed actor']);
      }
      const taken = transitionsOf(node);
      for (const action of [...node.entry, ...node.exit, ...taken.flatMap((one) => one.actions)]) {
        if (typeof action !== 'function') expect(actions).toHaveProperty([nameOf(action)]);
      }
      for (const { guard } of taken) {
        if (typeof guard === 'string') expect(guards).toHaveProperty([guard]);
        else if (guard !== undefined && typeof guard === 'object')
          expect(guards).toHaveProperty([guard.type]);
      }
    }
  });

  test('can reach every state, as far as its arrows go', () => {
    const reached = new Set<AnyStateNode>();
    const enter = (node: AnyStateNode): void => {
      if (reached.has(node)) return;
      reached.add(node);
      if (node.parent) enter(node.parent);
      if (node.type === 'parallel') Object.values(node.states).forEach(enter);
      if (node.type === 'compound') node.initial.target.forEach(enter);
      for (const { target } of transitionsOf(node)) target?.forEach(enter);
    };
    enter(machine.root);
    expect(nodes.filter((node) => !reached.has(node)).map((node) => node.id)).toEqual([]);
  });
});

/** Which machines a machine spawns, so that it may import their folders (docs/adr/0001). */
const SPAWNS: Record<string, string[]> = {
  supervisor: [
    'gateway',
    'delivery',
    'upgrade',
    'heartbeat',
    'agent-sync',
    'status-reporter',
    'extensions',
    'journal',
    'other-runtime',
    'pulse',
  ],
  'agent-sync': ['profile-sync'],
  delivery: ['notification', 'beat', 'trouble'],
};

test('machines import nothing but xstate, themselves, what is shared and what they spawn', () => {
  const root = import.meta.dirname;
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !/\.test(-kit)?\.ts$/.test(file) && file.includes('/'),
  );
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) {
    const [folder = ''] = file.split('/');
    const allowed = [folder, 'shared', ...(SPAWNS[folder] ?? [])];
    const source = readFileSync(join(root, file), 'utf8');
    for (const [, target = ''] of source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
      if (target === 'xstate') continue;
      const [home = ''] = relative(root, join(root, file, '..', target)).split('/');
      expect(target.startsWith('.') && allowed.includes(home), `${file} imports ${target}`).toBe(true);
    }
  }
});

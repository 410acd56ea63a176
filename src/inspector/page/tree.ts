import type { ActorView } from '../wire.ts';
import { el, setAttribute, setText } from './dom.ts';
import { countsText, treeRows, type TreeNode } from './forest.ts';
import { count, duration, lastOf } from './format.ts';
import type { Model } from './model.ts';
import { nameOfActor } from './overview.ts';
import { createVirtualList } from './virtual-list.ts';

interface Options {
  host: HTMLElement;
  search: HTMLInputElement;
  onSelect: (path: string) => void;
  /** Something other than the model changed what the list shows. */
  onChange: () => void;
}

export interface Tree {
  draw(model: Model, now: number, selected: string): void;
}

const ROW_HEIGHT = 42;

export function createTree({ host, search, onSelect, onChange }: Options): Tree {
  const toggled = new Set<string>();
  let rows: TreeNode[] = [];
  /** The row that the keyboard is on. */
  let current = '';
  let selected = '';
  let now = 0;

  const list = createVirtualList<TreeNode>({
    host,
    rowHeight: ROW_HEIGHT,
    create: () => createRow((key) => press(key)),
    update: (row, node, index) =>
      updateRow(row, node, {
        index,
        total: rows.length,
        now,
        isCurrent: node.key === current,
        isSelected: node.key === selected,
      }),
  });

  function press(key: string): void {
    const node = rows.find((row) => row.key === key);
    if (node === undefined) return;
    current = key;
    if (node.kind === 'group') toggle(node);
    else onSelect(key);
    onChange();
  }

  function toggle(node: TreeNode): void {
    if (node.isOpen === null) return;
    if (!toggled.delete(node.key)) toggled.add(node.key);
  }

  function step(by: number): void {
    const at = rows.findIndex(({ key }) => key === current);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (next === undefined) return;
    current = next.key;
    if (next.kind === 'actor') onSelect(next.key);
    list.reveal(rows.indexOf(next));
  }

  host.addEventListener('keydown', (event) => {
    const node = rows.find(({ key }) => key === current);
    const keys: Record<string, () => void> = {
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      PageDown: () => step(10),
      PageUp: () => step(-10),
      Home: () => step(-rows.length),
      End: () => step(rows.length),
      Enter: () => press(current),
      ' ': () => press(current),
      ArrowRight: () => (node?.isOpen === false ? toggle(node) : step(1)),
      ArrowLeft: () => (node?.isOpen === true ? toggle(node) : step(-1)),
    };
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
    onChange();
  });
  host.addEventListener('focus', onChange);
  search.addEventListener('input', onChange);

  return {
    draw(model, at, path) {
      if (path !== selected) current = path;
      selected = path;
      now = at;
      rows = treeRows(model.actors, toggled, search.value);
      const index = rows.findIndex(({ key }) => key === current);
      setAttribute(host, 'aria-activedescendant', index === -1 ? '' : rowId(current));
      list.show(rows);
    },
  };
}

const rowId = (key: string): string => `row ${key}`.replace(/\s/g, '-');

function createRow(onPress: (key: string) => void): HTMLElement {
  const row = el(
    'div',
    'row actor',
    el('span', 'chevron'),
    el('span', 'dot'),
    el(
      'div',
      'two-lines',
      el('div', 'line', el('span', 'name'), el('span', 'restarts'), el('span', 'tags')),
      el('div', 'line muted', el('span', 'states'), el('span', 'since'), el('span', 'timer')),
    ),
  );
  row.setAttribute('role', 'treeitem');
  row.addEventListener('click', () => onPress(row.dataset.key ?? ''));
  return row;
}

interface Look {
  index: number;
  total: number;
  now: number;
  isCurrent: boolean;
  isSelected: boolean;
}

function updateRow(row: HTMLElement, node: TreeNode, look: Look): void {
  const part = (name: string): Element => row.getElementsByClassName(name)[0] ?? row;
  row.dataset.key = node.key;
  row.id = rowId(node.key);
  setAttribute(row, 'aria-level', String(node.level + 1));
  setAttribute(row, 'aria-posinset', String(look.index + 1));
  setAttribute(row, 'aria-setsize', String(look.total));
  setAttribute(row, 'aria-selected', String(look.isSelected));
  if (node.isOpen === null) row.removeAttribute('aria-expanded');
  else setAttribute(row, 'aria-expanded', String(node.isOpen));
  row.classList.toggle('current', look.isCurrent);
  row.style.setProperty('--level', String(node.level));
  setText(part('chevron'), node.isOpen === null ? '' : node.isOpen ? '▾' : '▸');

  if (node.kind === 'group') {
    row.dataset.tone = node.tone;
    setText(part('name'), node.name);
    setText(part('tags'), count(node.total));
    for (const name of ['restarts', 'since', 'timer']) setText(part(name), '');
    setText(part('states'), countsText(node));
    row.title = countsText(node);
    return;
  }
  const { actor } = node;
  row.dataset.tone = node.tone;
  setText(part('name'), nameOfActor(actor));
  setText(part('restarts'), actor.restarts === 0 ? '' : `↻ ${actor.restarts}`);
  setText(part('tags'), actor.tags.join(' '));
  const states = [...actor.states.map(lastOf), actor.run].filter(Boolean);
  setText(part('states'), states.join(' · ') || actor.status);
  setText(part('since'), actor.since === null ? '' : `for ${duration(look.now - actor.since)}`);
  setText(part('timer'), timerText(actor, look.now));
  row.title = titleOf(actor, look.now);
}

function timerText({ timers: [next] }: ActorView, now: number): string {
  return next === undefined ? '' : `in ${duration(next.at - now)}`;
}

function titleOf({ path, states, restarts, timers }: ActorView, now: number): string {
  return [
    path,
    states.join('\n'),
    ...timers.map(({ name, at }) => `${name} in ${duration(at - now)}`),
    ...(restarts === 0 ? [] : [`started again ${restarts} times after a crash`]),
  ].join('\n');
}

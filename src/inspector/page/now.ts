/** The first view: cards for what is in trouble, who works and what waits. */
import { loadChart } from './chart.ts';
import { byId, el, setText } from './dom.ts';
import { count, duration, lastOf } from './format.ts';
import type { Model } from './model.ts';
import { overviewOf, type Card, type Overview } from './overview.ts';

export interface Now {
  draw(model: Model, now: number): void;
}

/** More cards than this in one column are only counted. */
const MOST_CARDS = 12;

const COLUMNS = ['trouble', 'works', 'waits'] as const;
type Column = (typeof COLUMNS)[number];

const NOTHING: Record<Column, string> = {
  trouble: 'Nothing is in trouble.',
  works: 'Nobody works right now.',
  waits: 'Nothing waits.',
};

export function createNow(onSelect: (path: string) => void, onChange: () => void): Now {
  const describe = createDescriber(onChange);
  const sentence = byId('now-sentence', HTMLElement);
  const hosts = new Map(COLUMNS.map((column) => [column, byId(`now-${column}`, HTMLElement)]));

  function drawColumn(column: Column, overview: Overview, now: number): void {
    const host = hosts.get(column);
    if (host === undefined) return;
    const all = overview[column];
    const cards = all.slice(0, MOST_CARDS);
    const list = host.querySelector('ul');
    const total = host.querySelector('.total');
    const note = host.querySelector('.note');
    if (list === null || total === null || note === null) return;
    while (list.children.length > cards.length) list.lastElementChild?.remove();
    while (list.children.length < cards.length) list.append(createCard(onSelect));
    cards.forEach((card, i) => {
      const item = list.children[i];
      if (item !== undefined) updateCard(item, card, describe, now);
    });
    setText(total, all.length === 0 ? '' : count(all.length));
    setText(note, noteOf(column, overview, all.length - cards.length));
  }

  return {
    draw(model, now) {
      const overview = overviewOf(model);
      setText(sentence, overview.sentence);
      for (const column of COLUMNS) drawColumn(column, overview, now);
    },
  };
}

function noteOf(column: Column, overview: Overview, more: number): string {
  if (more > 0) return `and ${count(more)} more: unfold them among the machines`;
  const queued = column === 'waits' ? overview.queued : 0;
  if (queued > 0) return `${count(queued)} ${queued === 1 ? 'message' : 'messages'} in the queue, not begun`;
  return overview[column].length === 0 ? NOTHING[column] : '';
}

function createCard(onSelect: (path: string) => void): HTMLElement {
  const press = el(
    'button',
    'card',
    el('span', 'line', el('span', 'dot'), el('span', 'name'), el('span', 'state')),
    el('span', 'words'),
    el('span', 'times muted'),
  );
  press.type = 'button';
  press.addEventListener('click', () => {
    const { path = '' } = press.dataset;
    if (path !== '') onSelect(path);
  });
  return el('li', '', press);
}

function updateCard(item: Element, card: Card, describe: Describe, now: number): void {
  const press = item.firstElementChild;
  if (!(press instanceof HTMLButtonElement)) return;
  const part = (name: string): Element => press.getElementsByClassName(name)[0] ?? press;
  const { actor, since, nextAt, run } = card;
  const state = actor?.states.at(-1) ?? '';
  press.dataset.tone = card.tone;
  press.dataset.path = actor?.path ?? '';
  setText(part('name'), card.title);
  setText(part('state'), [run === null ? lastOf(state) : '', actor?.run].filter(Boolean).join(' · '));
  setText(part('words'), card.text ?? (run === null ? describe(actor?.machine ?? null, state) : ''));
  const times = [
    since === null ? '' : `${run === null ? '' : 'working '}for ${duration(now - (run?.since ?? since))}`,
    run?.lastSignAt == null ? '' : `last sign ${duration(now - run.lastSignAt)} ago`,
    run?.until == null ? '' : `at most ${duration(run.until - now)} more`,
    nextAt === null ? '' : `next in ${duration(nextAt - now)}`,
  ];
  setText(part('times'), times.filter(Boolean).join(', '));
}

type Describe = (machine: string | null, state: string) => string;

/** What a state is for, in the words of its chart; empty until the chart was read. */
function createDescriber(onChange: () => void): Describe {
  const charts = new Map<string, ((id: string) => string) | null>();
  return (machine, state) => {
    if (machine === null) return '';
    const known = charts.get(machine);
    if (known === undefined) {
      charts.set(machine, null);
      void loadChart(machine).then((chart) => {
        if (chart !== null) charts.set(machine, (id) => chart.describe(id));
        onChange();
      });
    }
    const id = `${machine}.${state}`;
    return (known?.(id) ?? '').replace(`${id}: `, '');
  };
}

/** The centre: the chosen actor's chart, what its live states mean, and their timers. */
import type { ActorView, Entry } from '../wire.ts';
import { activeIds, loadChart, type Chart } from './chart.ts';
import { byId, button, el, setText } from './dom.ts';
import { clockTime, duration, lastOf } from './format.ts';
import type { Model } from './model.ts';
import { nameOfActor } from './overview.ts';
import { toneOf } from '../tone.ts';
import { createViewport } from './viewport.ts';

export interface Stage {
  draw(model: Model, now: number, selected: string): void;
  /** Marks the edges that were just taken. */
  flash(entries: readonly Entry[]): void;
}

export function createStage(onChange: () => void): Stage {
  const host = byId('chart', HTMLElement);
  const note = byId('chart-note', HTMLElement);
  const tip = byId('tip', HTMLElement);
  const viewport = createViewport(host);
  byId('zoom', HTMLElement).append(
    button('−', 'Zoom out (-)', () => viewport.zoom(1 / 1.2)),
    button('Live', 'Go to a live state (l)', goLive),
    button('Fit', 'Fit the chart into the window, or the part that is chosen (0)', fitChosen),
    button('+', 'Zoom in (+)', () => viewport.zoom(1.2)),
  );
  const parts = byId('parts', HTMLSelectElement);
  parts.addEventListener('change', fitChosen);
  let chart: Chart | null = null;
  let machine: string | null = null;
  let actor: ActorView | null = null;
  let [selected, lit, now] = ['', '', 0];
  let hovered: string | null = null;

  async function show(next: string | null): Promise<void> {
    machine = next;
    const loaded = next === null ? null : await loadChart(next);
    if (machine !== next) return;
    chart = loaded;
    lit = '';
    chart?.light(actor);
    viewport.set(chart?.svg ?? null);
    offerParts();
    note.hidden = chart !== null;
    setText(
      note,
      next === null
        ? 'This actor is no machine: there is no chart of it.'
        : `There is no drawing of ${next}: npm run diagrams makes it.`,
    );
    onChange();
  }

  /** Where the whole is too small to read, the part with the live state is shown. */
  function offerParts(): void {
    const names = chart?.parts.map(({ name }) => name) ?? [];
    parts.replaceChildren(
      option('-1', 'everything'),
      ...names.map((name, i) => option(String(i), i === 0 ? `${name}, top level` : name)),
    );
    parts.hidden = names.length < 2;
    if (viewport.isLegible() || chart === null) return;
    const [top] = chart.parts;
    viewport.fit(top);
    const live = viewport.isLegible() ? top : chart.livePart();
    if (live == null) return;
    parts.value = String(chart.parts.indexOf(live));
    fitChosen();
    if (!viewport.isLegible()) goLive();
  }

  function fitChosen(): void {
    viewport.fit(chart?.parts[Number(parts.value)]);
  }

  function goLive(): void {
    const box = chart?.liveBox();
    if (box != null) viewport.goTo(box);
  }

  host.addEventListener('keydown', ({ key }) => {
    if (key === 'l') goLive();
  });
  host.addEventListener('pointermove', (event) => {
    hovered = event.buttons === 0 ? (chart?.stateAt(event.target) ?? null) : null;
    const box = host.getBoundingClientRect();
    tip.style.left = `${Math.min(event.clientX - box.left + 14, box.width - 300)}px`;
    tip.style.top = `${event.clientY - box.top + 18}px`;
    drawTip();
  });
  host.addEventListener('pointerleave', () => {
    hovered = null;
    drawTip();
  });

  function drawTip(): void {
    tip.hidden = hovered === null;
    if (hovered === null || chart === null) return;
    const waiting = (actor?.timers ?? []).filter(({ state }) => state === hovered);
    tip.replaceChildren(
      el('div', '', withoutId(chart.describe(hovered), hovered)),
      ...waiting.map(({ name, at }) => el('div', 'timer', `${name} in ${duration(at - now)}`)),
    );
    tip.prepend(el('strong', '', hovered));
  }

  return {
    draw(model, at, path) {
      now = at;
      const next = model.actors.get(path) ?? null;
      // An actor that is gone keeps its chart, without live states.
      const nextMachine = next === null && path === selected ? machine : (next?.machine ?? null);
      const isOther = path !== selected;
      selected = path;
      actor = next;
      if (nextMachine !== machine || (isOther && chart === null)) void show(nextMachine);
      const states = actor?.states.join() ?? '';
      if (chart !== null && lit !== `${path} ${states}`) {
        lit = `${path} ${states}`;
        chart.light(actor);
      }
      drawHead(path, actor, now);
      drawStates(actor, chart, now);
      if (hovered !== null) drawTip();
    },
    flash(entries) {
      for (const entry of entries) if (entry.kind === 'step' && entry.path === selected) chart?.flash(entry);
    },
  };
}

function option(value: string, text: string): HTMLOptionElement {
  const element = el('option', '', text);
  element.value = value;
  return element;
}

function drawHead(path: string, actor: ActorView | null, now: number): void {
  const pill = byId('actor-state', HTMLElement);
  setText(byId('actor-path', HTMLElement), actor?.title == null ? path : nameOfActor(actor));
  byId('actor-path', HTMLElement).title = path;
  setText(pill, actor === null ? 'gone' : actor.states.map(lastOf).join(' · ') || actor.status);
  pill.dataset.tone = actor?.status === 'active' ? toneOf(actor.tags) : 'over';
  const facts = [
    actor?.tags.join(' ') ?? '',
    actor?.since == null ? '' : `since ${clockTime(actor.since, false)}, for ${duration(now - actor.since)}`,
    actor === null || actor.restarts === 0 ? '' : `restarts: ${actor.restarts}`,
    ...(actor?.timers ?? [])
      .filter(({ state }) => state === null)
      .map(({ name, at }) => `${name} in ${duration(at - now)}`),
  ];
  setText(byId('actor-facts', HTMLElement), facts.filter(Boolean).join('   '));
}

/** The live states in words, for people who use no pointer. */
function drawStates(actor: ActorView | null, chart: Chart | null, now: number): void {
  const host = byId('live-states', HTMLElement);
  const machine = actor?.machine ?? '';
  const ids = actor === null || chart === null ? [] : activeIds(machine, actor.states).slice(1);
  const leaves = ids.filter((id) => !ids.some((other) => other.startsWith(`${id}.`)));
  while (host.children.length > leaves.length) host.lastElementChild?.remove();
  while (host.children.length < leaves.length)
    host.append(el('li', '', el('strong'), el('span'), el('span', 'timer')));
  leaves.forEach((id, i) => {
    const [name, words, timer] = host.children[i]?.children ?? [];
    if (name === undefined || words === undefined || timer === undefined) return;
    const waiting = actor?.timers.find(({ state }) => state === id);
    setText(name, id.slice(machine.length + 1));
    setText(words, withoutId(chart?.describe(id) ?? '', id));
    setText(timer, waiting === undefined ? '' : `${waiting.name} in ${duration(waiting.at - now)}`);
  });
}

/** The titles of the drawings begin with the state's id. */
const withoutId = (title: string, id: string): string =>
  title.startsWith(`${id}: `) ? title.slice(id.length + 2) : title;

/** One machine's drawing with its live states lit and the edges just taken flashing. */
import { edgeKey, type ActorView, type Step } from '../wire.ts';
import type { Part } from './viewport.ts';

export interface Chart {
  svg: SVGSVGElement;
  /** The text of a state, from the drawing's titles. */
  describe(state: string): string;
  light(actor: ActorView | null): void;
  flash(step: Step): void;
  /** The area of the live states, in pixels of the screen. */
  liveBox(): DOMRect | null;
  /** The parts that can be shown by themselves: the top level, its regions, and the insides of closed states. */
  parts: readonly ChartPart[];
  /** The smallest part in which a live state is. */
  livePart(): ChartPart | null;
  /** The state under the pointer. */
  stateAt(target: EventTarget | null): string | null;
}

/** A part of the drawing, in its own units. */
interface ChartPart extends Part {
  name: string;
  box: Element;
}

/** How long a taken edge and a state that was passed stay marked, in milliseconds. */
const FLASH_MS = 900;

const loaded = new Map<string, Promise<Document | null>>();

/** null where there is no drawing of that machine. */
export async function loadChart(machine: string): Promise<Chart | null> {
  const known = loaded.get(machine) ?? fetchSvg(`/charts/${encodeURIComponent(machine)}.svg`);
  loaded.set(machine, known);
  const source = await known;
  if (source === null) loaded.delete(machine);
  const svg = source && document.importNode(source.documentElement, true);
  if (!(svg instanceof SVGSVGElement)) return null;
  useStyle(machine, svg);
  return createChart(machine, svg);
}

/** A document parsed by the browser: DOMParser would be a place where text becomes code (trusted types). */
function fetchSvg(url: string): Promise<Document | null> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.responseType = 'document';
    request.overrideMimeType('image/svg+xml');
    request.open('GET', url);
    request.onload = () => resolve(request.status === 200 ? request.responseXML : null);
    request.onerror = () => resolve(null);
    request.send();
  });
}

const styled = new Set<string>();

/** The selectors of a drawing's style begin with a class of its own, so it may hold for the whole page. */
function useStyle(machine: string, svg: SVGSVGElement): void {
  const text = svg.querySelector('metadata')?.textContent ?? '';
  if (styled.has(machine)) return;
  styled.add(machine);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  document.adoptedStyleSheets.push(sheet);
}

function createChart(machine: string, svg: SVGSVGElement): Chart {
  // A closed state is drawn in its place, as the frame of its inside, and its states as names in its box.
  const states = new Map<string, Element[]>();
  const descriptions = new Map<string, string>();
  for (const group of svg.querySelectorAll('g[data-id]')) {
    const id = group.getAttribute('data-id') ?? '';
    states.set(id, [...(states.get(id) ?? []), group]);
    descriptions.set(id, takeTitle(group) || (descriptions.get(id) ?? ''));
  }
  const edges = edgesOf(svg);
  const parts = partsOf(svg);
  const flashing = new Map<Element, number>();

  const mark = (element: Element, name: string): void => {
    window.clearTimeout(flashing.get(element));
    element.classList.add(name);
    flashing.set(
      element,
      window.setTimeout(() => {
        element.classList.remove(name);
        flashing.delete(element);
      }, FLASH_MS),
    );
  };

  return {
    svg,
    describe: (state) => descriptions.get(state) ?? '',
    light(actor) {
      const live = new Set(actor === null ? [] : activeIds(machine, actor.states));
      for (const [id, groups] of states)
        for (const group of groups) group.classList.toggle('active', live.has(id));
    },
    flash({ edges: taken, from, to }) {
      for (const key of taken) for (const edge of edges.get(key) ?? []) mark(edge, 'taken');
      if (from === null) return;
      const stays = new Set(activeIds(machine, to));
      for (const id of activeIds(machine, from)) {
        if (!stays.has(id)) for (const group of states.get(id) ?? []) mark(group, 'passed');
      }
    },
    liveBox() {
      return liveLeaf(svg)?.querySelector('.box')?.getBoundingClientRect() ?? null;
    },
    parts,
    livePart() {
      const leaf = liveLeaf(svg)?.querySelector('.box')?.getBoundingClientRect();
      if (leaf === undefined) return null;
      const around = parts.filter(({ box }) => holds(box.getBoundingClientRect(), leaf));
      return around.toSorted((a, b) => a.width * a.height - b.width * b.height)[0] ?? null;
    },
    stateAt: (target) =>
      (target instanceof Element && target.closest('g[data-id]')?.getAttribute('data-id')) || null,
  };
}

function liveLeaf(svg: SVGSVGElement): Element | undefined {
  const live = [...svg.querySelectorAll('g.state.active')];
  return live.find((group) => !live.some((other) => isWithin(other, group)));
}

const holds = (outer: DOMRect, inner: DOMRect): boolean =>
  outer.left <= inner.left &&
  outer.right >= inner.right &&
  outer.top <= inner.top &&
  outer.bottom >= inner.bottom;

/** Room around a part, in the drawing's units. */
const PART_MARGIN = 8;

function partsOf(svg: SVGSVGElement): ChartPart[] {
  const { x: left, y: top } = svg.viewBox.baseVal;
  return [...svg.querySelectorAll('g.root, g.region, g.panel')].flatMap((group) => {
    const box = group.querySelector('rect.box');
    if (box === null) return [];
    const lengthOf = (name: string): number => Number(box.getAttribute(name));
    return [
      {
        name: group.querySelector('.title')?.textContent ?? '',
        box,
        x: lengthOf('x') - left - PART_MARGIN,
        y: lengthOf('y') - top - PART_MARGIN,
        width: lengthOf('width') + 2 * PART_MARGIN,
        height: lengthOf('height') + 2 * PART_MARGIN,
      },
    ];
  });
}

const isWithin = (inner: Element, outer: Element): boolean =>
  (inner.getAttribute('data-id') ?? '').startsWith(`${outer.getAttribute('data-id') ?? ''}.`);

/** The browser's own tooltip would cover ours. */
function takeTitle(group: Element): string {
  const title = [...group.children].find(({ tagName }) => tagName === 'title');
  title?.remove();
  return title?.textContent ?? '';
}

/** An edge of the drawing may stand for several transitions. */
function edgesOf(svg: SVGSVGElement): Map<string, Element[]> {
  const edges = new Map<string, Element[]>();
  for (const group of svg.querySelectorAll('g.edge')) {
    const listOf = (name: string): string[] => (group.getAttribute(name) ?? '').split(' ');
    const [events, indexes] = [listOf('data-event'), listOf('data-index')];
    listOf('data-from').forEach((from, i) => {
      const key = edgeKey(from, events[i] ?? '', Number(indexes[i]));
      edges.set(key, [...(edges.get(key) ?? []), group]);
    });
  }
  return edges;
}

/** The ids of all states that a machine is in: the leaves and what is around them. */
export function activeIds(machine: string, states: readonly string[]): string[] {
  const ids = new Set([machine]);
  for (const leaf of states) {
    const parts = leaf.split('.');
    parts.forEach((_, i) => ids.add(`${machine}.${parts.slice(0, i + 1).join('.')}`));
  }
  return [...ids];
}

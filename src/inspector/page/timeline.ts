/** A strip for each machine: how it was over the last minutes. */
import { byId, el, setAttribute, setText } from './dom.ts';
import { clockTime, duration, nameOf, stateText } from './format.ts';
import { OVERALL, type Segment } from '../segments.ts';
import type { Model } from './model.ts';

export interface Timeline {
  draw(model: Model, now: number, selected: string): void;
}

interface Strip {
  row: HTMLElement;
  canvas: HTMLCanvasElement;
  segments: readonly Segment[];
}

const HEIGHT = 14;
/** Segments that are not well and this long, in milliseconds, are named in the strip's label. */
const TOLD = 8;

export function createTimeline(onSelect: (path: string) => void, onChange: () => void): Timeline {
  const host = byId('strips', HTMLElement);
  const span = byId('span', HTMLSelectElement);
  const ticks = byId('ticks', HTMLElement);
  const strips = new Map<string, Strip>();
  let now = 0;
  span.addEventListener('change', onChange);
  const spanMs = (): number => Number(span.value) * 60_000;

  function stripOf(path: string): Strip {
    const known = strips.get(path);
    if (known !== undefined) return known;
    const canvas = el('canvas');
    canvas.height = HEIGHT;
    canvas.setAttribute('role', 'img');
    const name = el('button', 'name', path === OVERALL ? 'overall' : nameOf(path));
    name.type = 'button';
    const row = el('div', 'strip', name, canvas);
    row.setAttribute('role', 'listitem');
    const strip: Strip = { row, canvas, segments: [] };
    name.addEventListener('click', () => path !== OVERALL && onSelect(path));
    canvas.addEventListener('click', () => path !== OVERALL && onSelect(path));
    canvas.addEventListener('pointermove', ({ offsetX }) => {
      const at = now - spanMs() * (1 - offsetX / canvas.clientWidth);
      canvas.title = segmentText(strip.segments, at, now);
    });
    strips.set(path, strip);
    return strip;
  }

  return {
    draw(model, at, selected) {
      now = at;
      const begin = now - spanMs();
      const paths = [...model.segments.keys()].sort(byPlace);
      for (const [path, { row }] of strips) {
        if (!model.segments.has(path)) {
          row.remove();
          strips.delete(path);
        }
      }
      paths.forEach((path, i) => {
        const strip = stripOf(path);
        if (host.children[i] !== strip.row) host.insertBefore(strip.row, host.children[i] ?? null);
        strip.segments = model.segments.get(path) ?? [];
        strip.row.classList.toggle('selected', path === selected);
        setAttribute(strip.canvas, 'aria-label', labelOf(path, strip.segments, begin, now));
        paint(strip, begin, now);
      });
      setText(ticks, `${clockTime(begin, false)} to ${clockTime(now, false)}`);
    },
  };
}

/** The overall status first, then as the supervisor starts them, the many heartbeats last. */
function byPlace(a: string, b: string): number {
  const weight = (path: string): number => (path === OVERALL ? 0 : path.includes('/heartbeat:') ? 2 : 1);
  return weight(a) - weight(b);
}

const colours = new Map<string, string>();

/** Called when the scheme changes. */
export const forgetColours = (): void => colours.clear();

function colourOf(tone: string, canvas: HTMLCanvasElement): string {
  const known = colours.get(tone);
  if (known !== undefined) return known;
  canvas.dataset.tone = tone;
  const { color: colour } = getComputedStyle(canvas);
  colours.set(tone, colour);
  return colour;
}

function paint({ canvas, segments }: Strip, begin: number, now: number): void {
  const ratio = window.devicePixelRatio;
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(HEIGHT * ratio)];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.clearRect(0, 0, width, height);
  const x = (at: number): number => ((Math.max(begin, at) - begin) / (now - begin)) * width;
  segments.forEach(({ from, tone }, i) => {
    const to = segments[i + 1]?.from ?? now;
    if (tone === null || to <= begin) return;
    context.fillStyle = colourOf(tone, canvas);
    // Even a very short segment stays visible.
    context.fillRect(x(from), 0, Math.max(x(to) - x(from), ratio * 2), height);
  });
}

function segmentText(segments: readonly Segment[], at: number, now: number): string {
  const i = segments.findLastIndex(({ from }) => from <= at);
  const segment = segments[i];
  if (segment?.tone == null) return 'not there';
  const to = segments[i + 1]?.from ?? now;
  const until = segments[i + 1] === undefined ? 'now' : clockTime(to, false);
  return `${segment.tone} for ${duration(to - segment.from)}\n${clockTime(segment.from, false)} to ${until}\n${stateText(segment.states)}`;
}

/** The strip in words: when the machine was not well, and since when it has its present state. */
function labelOf(path: string, segments: readonly Segment[], begin: number, now: number): string {
  const told = segments
    .map((segment, i) => ({ ...segment, to: segments[i + 1]?.from ?? now }))
    .filter(({ tone, to }) => tone !== null && tone !== 'ready' && to > begin)
    .slice(-TOLD)
    .map(({ tone, from, to }) => `${tone ?? ''} for ${duration(to - from)} at ${clockTime(from, false)}`);
  return `${path === OVERALL ? 'overall' : nameOf(path)}: ${told.length === 0 ? 'well' : told.join(', ')}`;
}

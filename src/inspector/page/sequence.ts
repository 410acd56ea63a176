/** The log as a sequence diagram: a lifeline for each machine, an arrow for each event. */
import { el, setAttribute, setText } from './dom.ts';
import { clockTime, eventText, SESSION } from './format.ts';
import type { LogRow } from './model.ts';

/** Left to right; those of a kind share a lifeline. */
const LIFELINES = [
  'outside',
  'supervisor',
  'gateway',
  'delivery',
  'sessions',
  'agentSync',
  'heartbeats',
  'statusReporter',
  'upgrade',
] as const;

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 900;
const STEP = WIDTH / LIFELINES.length;

/** The lifeline of an actor, by its path. */
export function lifelineOf(path: string | null): number {
  if (path === null) return 0;
  const id = path.slice(path.indexOf('/') + 1);
  const name = SESSION.test(path) ? 'sessions' : id.startsWith('heartbeat:') ? 'heartbeats' : id;
  const index = LIFELINES.findIndex((one) => one === name);
  return Math.max(0, index);
}

const middle = (lifeline: number): number => (lifeline + 0.5) * STEP;

export function drawHeads(host: HTMLElement): void {
  host.replaceChildren(...LIFELINES.map((name) => el('span', 'head', name)));
}

function shape(name: string, className: string): SVGElement {
  const element = document.createElementNS(SVG, name);
  element.setAttribute('class', className);
  return element;
}

export function createSequenceRow(onPress: (seq: string) => void): HTMLElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} 60`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  for (const index of LIFELINES.keys()) {
    const line = shape('path', 'lifeline');
    line.setAttribute('d', `M${middle(index)} 0V60`);
    svg.append(line);
  }
  svg.append(shape('path', 'message'), shape('path', 'tip'));
  const row = el('div', 'row message-row', el('span', 'label'), el('span', 'sr'));
  row.prepend(svg);
  row.setAttribute('role', 'listitem');
  row.addEventListener('click', () => onPress(row.dataset.seq ?? ''));
  return row;
}

export function updateSequenceRow(row: HTMLElement, item: LogRow): void {
  if (row.dataset.seq === String(item.seq)) return;
  row.dataset.seq = String(item.seq);
  const [from, to] = [lifelineOf(item.by), lifelineOf(item.path)];
  const [x1, x2] = [middle(from), middle(to)];
  const isSelf = from === to;
  const direction = x2 > x1 ? 1 : -1;
  const [message, tip] = [row.querySelector('.message'), row.querySelector('.tip')];
  const label = row.querySelector<HTMLElement>('.label');
  if (message === null || tip === null || label === null) return;
  setAttribute(message, 'd', isSelf ? `M${x1} 30h26v18h-20` : `M${x1} 44H${x2 - direction * 8}`);
  setAttribute(tip, 'd', isSelf ? `M${x1} 48l12 -7v14z` : `M${x2} 44l${-direction * 12} -7v14z`);
  row.classList.toggle('changed', item.from !== null);
  const text = eventText(item.event, item.call);
  setText(label, text);
  // Beside the arrow's left end, or ending at the right edge where there is no room.
  const left = Math.min(x1, x2) / WIDTH;
  label.style.left = left > 0.55 ? 'auto' : `calc(${left * 100}% + ${isSelf ? 20 : 6}px)`;
  label.style.right =
    left > 0.55 ? `calc(${(1 - Math.max(x1, x2) / WIDTH) * 100}% + ${isSelf ? -20 : 6}px)` : 'auto';
  setText(row.querySelector('.sr') ?? row, `${item.by ?? 'outside'} to ${item.path}`);
  row.title = `${clockTime(item.at)}\n${item.by ?? 'outside'} → ${item.path}\n${item.event}`;
}

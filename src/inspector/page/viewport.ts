/** Zoom and pan of what is in a box: wheel, drag and keys. */
export interface Part {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Viewport {
  /** Puts another content in, of that size, and fits it. */
  set(content: SVGSVGElement | null): void;
  /** Shows a part as large as it goes; the whole without one. @param part in the content's own units */
  fit(part?: Part): void;
  /** Whether texts can be read as it is. */
  isLegible(): boolean;
  /** Brings a place of the screen into the middle, legible. */
  goTo(box: DOMRect): void;
  zoom(factor: number): void;
}

const LEAST = 0.1;
const MOST = 4;
const LEGIBLE = 0.7;
const STEP = 1.2;
const MARGIN = 12;

export function createViewport(host: HTMLElement): Viewport {
  let content: SVGSVGElement | null = null;
  let size = { width: 1, height: 1 };
  let [x, y, scale] = [0, 0, 1];

  function place(): void {
    if (content !== null) content.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
  }

  /** Keeps the point under the pointer where it is. */
  function zoomAt(factor: number, px: number, py: number): void {
    const next = Math.min(MOST, Math.max(LEAST, scale * factor));
    x = px - ((px - x) * next) / scale;
    y = py - ((py - y) * next) / scale;
    scale = next;
    place();
  }

  const zoom = (factor: number): void => zoomAt(factor, host.clientWidth / 2, host.clientHeight / 2);

  function fit(part: Part = { x: 0, y: 0, ...size }): void {
    const [width, height] = [host.clientWidth - 2 * MARGIN, host.clientHeight - 2 * MARGIN];
    scale = Math.max(LEAST, Math.min(1.5, width / part.width, height / part.height));
    x = MARGIN + Math.max(0, (width - part.width * scale) / 2) - part.x * scale;
    y = MARGIN + Math.max(0, (height - part.height * scale) / 2) - part.y * scale;
    place();
  }

  function pan(dx: number, dy: number): void {
    x += dx;
    y += dy;
    place();
  }

  host.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const box = host.getBoundingClientRect();
      zoomAt(Math.exp(-event.deltaY / 500), event.clientX - box.left, event.clientY - box.top);
    },
    { passive: false },
  );
  host.addEventListener('pointerdown', (event) => {
    if (event.button === 0) host.setPointerCapture(event.pointerId);
  });
  host.addEventListener('pointermove', (event) => {
    if (host.hasPointerCapture(event.pointerId)) pan(event.movementX, event.movementY);
  });
  host.addEventListener('dblclick', () => fit());
  host.addEventListener('keydown', (event) => {
    const keys: Record<string, () => void> = {
      ArrowLeft: () => pan(60, 0),
      ArrowRight: () => pan(-60, 0),
      ArrowUp: () => pan(0, 60),
      ArrowDown: () => pan(0, -60),
      '+': () => zoom(STEP),
      '=': () => zoom(STEP),
      '-': () => zoom(1 / STEP),
      '0': () => fit(),
    };
    const act = keys[event.key];
    if (act === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act();
  });

  return {
    set(next) {
      content = next;
      host.replaceChildren(...(next === null ? [] : [next]));
      if (next === null) return;
      const { width, height } = next.viewBox.baseVal;
      size = { width, height };
      fit();
    },
    fit,
    isLegible: () => scale >= LEGIBLE,
    goTo(box) {
      const frame = host.getBoundingClientRect();
      pan(
        frame.left + frame.width / 2 - (box.left + box.width / 2),
        frame.top + frame.height / 2 - (box.top + box.height / 2),
      );
      if (scale < LEGIBLE) zoom(LEGIBLE / scale);
    },
    zoom,
  };
}

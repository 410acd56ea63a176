import { el } from './dom.ts';

/** A list of rows of one height, of which only those in sight are in the document. */
export interface VirtualList<T> {
  show(items: readonly T[]): void;
  /** Brings a row into sight. */
  reveal(index: number): void;
  /** Whether it was scrolled to its end. */
  readonly isAtEnd: boolean;
  scrollToEnd(): void;
}

interface Options<T> {
  /** What scrolls; it gets the rows as children. */
  host: HTMLElement;
  rowHeight: number;
  create: () => HTMLElement;
  update: (row: HTMLElement, item: T, index: number) => void;
}

const BEYOND = 6;

export function createVirtualList<T>({ host, rowHeight, create, update }: Options<T>): VirtualList<T> {
  const sheet = el('div', 'sheet');
  sheet.setAttribute('role', 'presentation');
  host.append(sheet);
  const rows: HTMLElement[] = [];
  let items: readonly T[] = [];

  function draw(): void {
    const height = `${items.length * rowHeight}px`;
    if (sheet.style.height !== height) sheet.style.height = height;
    const first = Math.max(0, Math.floor(host.scrollTop / rowHeight) - BEYOND);
    const last = Math.min(items.length, Math.ceil((host.scrollTop + host.clientHeight) / rowHeight) + BEYOND);
    while (rows.length < last - first) {
      const row = create();
      row.style.height = `${rowHeight}px`;
      rows.push(row);
      sheet.append(row);
    }
    rows.forEach((row, i) => {
      const item = items[first + i];
      const isShown = item !== undefined && first + i < last;
      if (row.hidden === isShown) row.hidden = !isShown;
      if (!isShown) return;
      const place = `translateY(${(first + i) * rowHeight}px)`;
      if (row.style.transform !== place) row.style.transform = place;
      update(row, item, first + i);
    });
  }
  // The state at the last scroll decides: a smaller window moves the end out of sight, and the list must still follow
  // it.
  let isAtEnd = true;
  host.addEventListener(
    'scroll',
    () => {
      isAtEnd = host.scrollTop + host.clientHeight >= host.scrollHeight - rowHeight;
      draw();
    },
    { passive: true },
  );

  return {
    show(next) {
      items = next;
      draw();
    },
    reveal(index) {
      const top = index * rowHeight;
      if (top < host.scrollTop) host.scrollTop = top;
      else if (top + rowHeight > host.scrollTop + host.clientHeight)
        host.scrollTop = top + rowHeight - host.clientHeight;
    },
    get isAtEnd() {
      return isAtEnd;
    },
    scrollToEnd() {
      host.scrollTop = host.scrollHeight;
    },
  };
}

/** The right side: what happened, as a log or as a sequence. */
import { byId, el, setAttribute, setText } from './dom.ts';
import { filterRows } from './filter.ts';
import { foldSteady, isFold, type LogItem } from './fold.ts';
import { clockTime, count, eventText, nameOf, stateText } from './format.ts';
import type { LogRow, Model } from './model.ts';
import { createSequenceRow, drawHeads, updateSequenceRow } from './sequence.ts';
import { createVirtualList, type VirtualList } from './virtual-list.ts';

export interface Log {
  draw(model: Model): void;
}

export function createLog(onSelect: (path: string) => void, onChange: () => void): Log {
  const actor = byId('log-actor', HTMLInputElement);
  const event = byId('log-event', HTMLInputElement);
  const changesOnly = byId('log-changes', HTMLInputElement);
  const steadyToo = byId('log-steady', HTMLInputElement);
  /** The first rows of what is unfolded. */
  const unfolded = new Set<number>();
  const pause = byId('log-pause', HTMLButtonElement);
  const tally = byId('log-count', HTMLElement);
  const heads = byId('sequence-heads', HTMLElement);
  const hosts = { log: byId('log', HTMLElement), sequence: byId('sequence', HTMLElement) };
  const tabs = { log: byId('tab-log', HTMLButtonElement), sequence: byId('tab-sequence', HTMLButtonElement) };
  let view: keyof typeof hosts = 'log';
  /** What is shown while it is paused. */
  let frozen: readonly LogRow[] | null = null;
  let rows: readonly LogRow[] = [];
  let items: readonly LogItem[] = [];
  let titles: ReadonlyMap<string, string> = new Map();
  let drawn = '';

  const onPress = (seq: string): void => {
    const item = items.find((one) => String(one.seq) === seq);
    if (item === undefined) return;
    if (!isFold(item)) onSelect(item.path);
    else {
      unfolded.add(item.seq);
      onChange();
    }
  };
  const lists: { log: VirtualList<LogItem>; sequence: VirtualList<LogRow> } = {
    log: createVirtualList<LogItem>({
      host: hosts.log,
      rowHeight: 38,
      create: () => createRow(onPress),
      update: (row, item) => updateRow(row, item, (path) => titles.get(path ?? '') ?? nameOf(path)),
    }),
    sequence: createVirtualList({
      host: hosts.sequence,
      rowHeight: 30,
      create: () => createSequenceRow(onPress),
      update: updateSequenceRow,
    }),
  };

  function choose(next: keyof typeof hosts): void {
    view = next;
    for (const name of ['log', 'sequence'] as const) {
      hosts[name].hidden = name !== view;
      setAttribute(tabs[name], 'aria-selected', String(name === view));
      tabs[name].tabIndex = name === view ? 0 : -1;
    }
    heads.hidden = view !== 'sequence';
    drawn = '';
    onChange();
    requestAnimationFrame(() => lists[view].scrollToEnd());
  }

  for (const name of ['log', 'sequence'] as const) {
    tabs[name].addEventListener('click', () => choose(name));
    tabs[name].addEventListener('keydown', ({ key }) => {
      if (key !== 'ArrowLeft' && key !== 'ArrowRight') return;
      choose(view === 'log' ? 'sequence' : 'log');
      tabs[view].focus();
    });
  }
  for (const input of [actor, event, changesOnly, steadyToo]) input.addEventListener('input', onChange);
  pause.addEventListener('click', () => {
    frozen = frozen === null ? rows : null;
    setAttribute(pause, 'aria-pressed', String(frozen !== null));
    setText(pause, frozen === null ? 'Pause' : 'Go on');
    onChange();
  });
  drawHeads(heads);

  return {
    draw(model) {
      const filter = { actor: actor.value, event: event.value, changesOnly: changesOnly.checked };
      titles = model.titles;
      const key = JSON.stringify([
        model.picture.epoch,
        model.seq,
        model.log.length,
        filter,
        frozen !== null,
        view,
        steadyToo.checked,
        unfolded.size,
      ]);
      if (key === drawn) return;
      drawn = key;
      const follows = lists[view].isAtEnd;
      const all = frozen ?? model.log;
      rows = filterRows(all, filter);
      items = steadyToo.checked ? rows : foldSteady(rows, unfolded);
      if (view === 'log') lists.log.show(items);
      else lists.sequence.show(items.filter((item): item is LogRow => !isFold(item)));
      if (follows && frozen === null) lists[view].scrollToEnd();
      const share =
        rows.length === all.length ? count(all.length) : `${count(rows.length)} of ${count(all.length)}`;
      setText(tally, `${share} ${all.length === 1 ? 'event' : 'events'}`);
    },
  };
}

function createRow(onPress: (seq: string) => void): HTMLElement {
  const row = el(
    'div',
    'row event',
    el(
      'div',
      'line',
      el('span', 'time'),
      el('span', 'sender'),
      el('span', 'arrow', '→'),
      el('span', 'receiver'),
    ),
    el('div', 'line', el('span', 'type'), el('span', 'change')),
  );
  row.setAttribute('role', 'listitem');
  row.addEventListener('click', () => onPress(row.dataset.seq ?? ''));
  return row;
}

function updateRow(row: HTMLElement, item: LogItem, nameOfPath: (path: string | null) => string): void {
  // A row may change later: a fold grows, and a title becomes known.
  const key = isFold(item)
    ? `${item.seq} ${item.rows.length}`
    : `${item.seq} ${nameOfPath(item.path)} ${nameOfPath(item.by)}`;
  if (row.dataset.key === key) return;
  row.dataset.key = key;
  row.dataset.seq = String(item.seq);
  row.classList.toggle('fold', isFold(item));
  const part = (name: string): Element => row.getElementsByClassName(name)[0] ?? row;
  if (isFold(item)) {
    const names = [...new Set(item.rows.map(({ path }) => nameOf(path)))].join(', ');
    const [first] = item.rows;
    for (const name of ['sender', 'arrow', 'receiver', 'change']) setText(part(name), '');
    setText(part('time'), first === undefined ? '' : clockTime(first.at));
    setText(part('type'), `▸ ${count(item.rows.length)} steady: ${names}`);
    row.title = 'Probes, looks at the queue and reports that went well. Press to unfold them.';
    return;
  }
  setText(part('arrow'), '→');
  const { at, by, path, event, call, from, to } = item;
  setText(part('time'), clockTime(at));
  setText(part('sender'), by === path ? (call ?? 'itself') : (call ?? nameOfPath(by)));
  setText(part('receiver'), nameOfPath(path));
  setText(part('type'), eventText(event, call));
  setText(part('change'), from === null ? '' : `⇒ ${changeText(from, to)}`);
  row.title = `${clockTime(at)}\n${by ?? 'outside'} → ${path}\n${event}\n${from === null ? 'no change' : `${from.join(' ')} ⇒ ${to.join(' ')}`}`;
}

/** The leaves that are new; of a parallel machine most stay. */
function changeText(from: readonly string[], to: readonly string[]): string {
  const entered = to.filter((state) => !from.includes(state));
  return entered.length === 1 ? (entered[0] ?? '').replace(/^active\./, '') : stateText(entered);
}

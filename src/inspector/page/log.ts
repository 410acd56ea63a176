/** The right side: what happened, as a log or as a sequence. */
import { byId, el, setAttribute, setText } from './dom.ts';
import { filterRows } from './filter.ts';
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
  const pause = byId('log-pause', HTMLButtonElement);
  const tally = byId('log-count', HTMLElement);
  const heads = byId('sequence-heads', HTMLElement);
  const hosts = { log: byId('log', HTMLElement), sequence: byId('sequence', HTMLElement) };
  const tabs = { log: byId('tab-log', HTMLButtonElement), sequence: byId('tab-sequence', HTMLButtonElement) };
  let view: keyof typeof hosts = 'log';
  /** What is shown while it is paused. */
  let frozen: readonly LogRow[] | null = null;
  let rows: readonly LogRow[] = [];
  let drawn = '';

  const onPress = (seq: string): void => {
    const row = rows.find((one) => String(one.seq) === seq);
    if (row !== undefined) onSelect(row.path);
  };
  const lists: Record<keyof typeof hosts, VirtualList<LogRow>> = {
    log: createVirtualList({
      host: hosts.log,
      rowHeight: 38,
      create: () => createRow(onPress),
      update: updateRow,
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
  for (const input of [actor, event, changesOnly]) input.addEventListener('input', onChange);
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
      const key = JSON.stringify([
        model.picture.epoch,
        model.seq,
        model.log.length,
        filter,
        frozen !== null,
        view,
      ]);
      if (key === drawn) return;
      drawn = key;
      const follows = lists[view].isAtEnd;
      const all = frozen ?? model.log;
      rows = filterRows(all, filter);
      lists[view].show(rows);
      if (follows && frozen === null) lists[view].scrollToEnd();
      const share =
        rows.length === all.length ? count(all.length) : `${count(rows.length)} of ${count(all.length)}`;
      setText(tally, `${share} events`);
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

function updateRow(row: HTMLElement, item: LogRow): void {
  if (row.dataset.seq === String(item.seq)) return;
  row.dataset.seq = String(item.seq);
  const part = (name: string): Element => row.getElementsByClassName(name)[0] ?? row;
  const { at, by, path, event, call, from, to } = item;
  setText(part('time'), clockTime(at));
  setText(part('sender'), by === path ? (call ?? 'itself') : (call ?? nameOf(by)));
  setText(part('receiver'), nameOf(path));
  setText(part('type'), eventText(event, call));
  setText(part('change'), from === null ? '' : `⇒ ${changeText(from, to)}`);
  row.title = `${clockTime(at)}\n${by ?? 'outside'} → ${path}\n${event}\n${from === null ? 'no change' : `${from.join(' ')} ⇒ ${to.join(' ')}`}`;
}

/** The leaves that are new; of a parallel machine most stay. */
function changeText(from: readonly string[], to: readonly string[]): string {
  const entered = to.filter((state) => !from.includes(state));
  return entered.length === 1 ? (entered[0] ?? '').replace(/^active\./, '') : stateText(entered);
}

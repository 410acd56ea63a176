/** Which panels are shown: the first view or a chart. A phone shows one panel at a time. */
import { byId, el, setAttribute } from './dom.ts';

const VIEWS = { now: 'Now', machines: 'Machines', chart: 'Chart', events: 'Events', timeline: 'Timeline' };

type View = keyof typeof VIEWS;

export interface Panels {
  show(view: View): void;
}

/** @param onChoose called when a person asks for a view */
export function createPanels(onChoose: (view: View) => void): Panels {
  const host = byId('views', HTMLElement);
  const now = byId('now', HTMLElement);
  const chart = byId('chart-panel', HTMLElement);
  const names = Object.keys(VIEWS) as View[];
  const tabs = new Map(
    names.map((name) => {
      const tab = el('button', '', VIEWS[name]);
      tab.type = 'button';
      tab.setAttribute('role', 'tab');
      tab.addEventListener('click', () => choose(name));
      tab.addEventListener('keydown', ({ key }) => {
        const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
        const next = by === undefined ? undefined : names.at((names.indexOf(name) + by) % names.length);
        if (next === undefined) return;
        choose(next);
        tabs.get(next)?.focus();
      });
      return [name, tab] as const;
    }),
  );
  host.append(...tabs.values());

  function choose(view: View): void {
    show(view);
    onChoose(view);
  }

  function show(view: View): void {
    document.body.dataset.shows = view;
    for (const panel of document.querySelectorAll<HTMLElement>('[data-view]')) {
      panel.classList.toggle('chosen', panel.dataset.view === view);
    }
    for (const [name, tab] of tabs) {
      setAttribute(tab, 'aria-selected', String(name === view));
      tab.tabIndex = name === view ? 0 : -1;
    }
    if (view !== 'now' && view !== 'chart') return;
    now.hidden = view === 'chart';
    chart.hidden = view === 'now';
  }

  return { show };
}

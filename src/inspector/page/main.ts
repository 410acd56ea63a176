/** The inspector's page: one model, from the stream or from a recording, drawn once per frame. */
import type { Entry } from '../wire.ts';
import { createBar, type Connection } from './bar.ts';
import { createCommands } from './commands.ts';
import { byId, setText } from './dom.ts';
import { watchLive } from './live.ts';
import { createLog } from './log.ts';
import { apply, createModel, type Model } from './model.ts';
import { createNow } from './now.ts';
import { createPanels } from './panels.ts';
import { createPlayer } from './player.ts';
import { createPlayback, readRecording } from './recording.ts';
import { createStage } from './stage.ts';
import { createTheme } from './theme.ts';
import { createTimeline, forgetColours } from './timeline.ts';
import { createTree } from './tree.ts';
import { createWhy } from './why.ts';

/** No actor is chosen, so the page shows the first view. */
const NOBODY = '';
const ROOT = 'supervisor';
const HASH = '#/actor/';
/** Countdowns move this often while nothing else does, in milliseconds. */
const TICK_MS = 250;

let live: Model | null = null;
let playback: ReturnType<typeof createPlayback> | null = null;
let connection: Connection = 'connecting';
/** How far the runtime's clock is ahead of ours, in milliseconds. */
let skew = 0;
let isDirty = false;

const bar = createBar();
const stage = createStage(redraw);
const tree = createTree({
  host: byId('tree', HTMLElement),
  search: byId('search', HTMLInputElement),
  onSelect: select,
  onChange: redraw,
});
const log = createLog(select, redraw);
const timeline = createTimeline(select, redraw);
const now = createNow(select, redraw);
const panels = createPanels((view) => {
  if (view === 'now') select(NOBODY);
  if (view === 'chart' && selectedPath() === NOBODY) select(ROOT);
});
const commands = createCommands();
createWhy();
const player = createPlayer(redraw, closeRecording);
createTheme(() => {
  forgetColours();
  redraw();
});

function selectedPath(): string {
  const { hash } = window.location;
  return hash.startsWith(HASH) ? decodeURIComponent(hash.slice(HASH.length)) : NOBODY;
}

function select(path: string): void {
  const hash = path === NOBODY ? '#/' : `${HASH}${path.split('/').map(encodeURIComponent).join('/')}`;
  if (window.location.hash !== hash) window.history.pushState(null, '', hash);
  panels.show(path === NOBODY ? 'now' : 'chart');
  redraw();
}

function redraw(): void {
  if (isDirty) return;
  isDirty = true;
  requestAnimationFrame(draw);
}

function draw(): void {
  isDirty = false;
  const played = playback?.at(player.tick());
  const model = played?.model ?? live;
  const time = played === undefined ? Date.now() + skew : player.tick();
  bar.draw(model, time, playback === null ? connection : 'recording');
  if (model === null) return;
  const selected = selectedPath();
  document.title = `${model.left === null ? model.status.status : 'left'}, ${selected || 'now'}: inspector`;
  document.body.classList.toggle(
    'stale',
    model.left !== null || (playback === null && connection === 'lost'),
  );
  tree.draw(model, time, selected);
  if (selected === NOBODY) now.draw(model, time);
  else stage.draw(model, time, selected);
  if (played !== undefined) stage.flash(played.news);
  log.draw(model);
  timeline.draw(model, time, selected);
  if (player.isPlaying) redraw();
}

function takeEntries(entries: readonly Entry[]): void {
  if (live === null) return;
  for (const entry of entries) apply(live, entry);
  if (playback === null) stage.flash(entries);
  redraw();
}

void watchLive({
  onHello(hello) {
    skew = hello.picture.at - Date.now();
    live = createModel(hello);
    redraw();
  },
  onEntries: takeEntries,
  onKey: (key) => commands.setKey(key),
  onLink(isUp) {
    connection = isUp ? 'live' : 'lost';
    redraw();
  },
});

async function openRecording(file: File): Promise<void> {
  const problem = byId('problem', HTMLElement);
  setText(problem, '');
  try {
    const recording = readRecording(await file.text());
    playback = createPlayback(recording);
    player.open(file.name, recording);
  } catch (error) {
    setText(problem, error instanceof Error ? error.message : String(error));
  }
  redraw();
}

function closeRecording(): void {
  playback = null;
  player.close();
  redraw();
}

const picker = byId('file', HTMLInputElement);
byId('open', HTMLButtonElement).addEventListener('click', () => picker.click());
picker.addEventListener('change', () => {
  const [file] = picker.files ?? [];
  if (file !== undefined) void openRecording(file);
  picker.value = '';
});
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer?.files ?? [];
  if (file !== undefined) void openRecording(file);
});
document.addEventListener('keydown', (event) => {
  const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === '/') {
    event.preventDefault();
    panels.show('machines');
    byId('search', HTMLInputElement).focus();
  } else if (event.key === 'o') {
    select(NOBODY);
  }
});
byId('overview', HTMLButtonElement).addEventListener('click', () => select(NOBODY));
function showAddressed(): void {
  panels.show(selectedPath() === NOBODY ? 'now' : 'chart');
  redraw();
}
window.addEventListener('hashchange', showAddressed);
showAddressed();
window.setInterval(redraw, TICK_MS);

/** What the page knows, from the entries of the stream or of a recording. No DOM here. */
import { extend, OVERALL, TIMELINE_MS, type Lines, type Segment } from '../segments.ts';
import { calm, toneOf, toneOfStatus } from '../tone.ts';
import type { ActorView, Entry, Hello, Picture, Sample, StatusView, Step } from '../wire.ts';

/** Rows that the log keeps. */
const LOG_ROWS = 5_000;
/** Sessions whose titles are kept. */
const TITLES_KEPT = 5_000;

export interface LogRow extends Step {
  seq: number;
  at: number;
  /** The steady beat of a machine that is well: a probe, a look at the queue, a report. */
  isSteady: boolean;
}

export interface Model {
  picture: Picture;
  actors: Map<string, ActorView>;
  /** What people call a session, by its path; also of those that are over. */
  titles: Map<string, string>;
  status: StatusView;
  log: LogRow[];
  /** The number of rows that the log dropped at its beginning. */
  lost: number;
  segments: Lines;
  samples: Sample[];
  left: { exitCode: number; reason: string } | null;
  /** The last entry that was taken. */
  seq: number;
  at: number;
}

export function createModel({ picture, history }: Hello): Model {
  const { actors, status, seq, at, past } = picture;
  const model: Model = {
    picture,
    actors: new Map(actors.map((actor) => [actor.path, { ...actor }])),
    titles: new Map(),
    status,
    log: [],
    lost: 0,
    segments: new Map(Object.entries(past.lines).map(([path, line]) => [path, [...line]])),
    samples: [...past.samples],
    left: null,
    seq,
    at,
  };
  for (const { path, title } of actors) keepTitle(model, path, title);
  // The picture's past already holds the timeline of that time.
  for (const entry of history) if (entry.kind === 'step') keepRow(model, entry);
  for (const { path, since, tags, states } of actors) {
    if (!model.segments.has(path)) remembered(model, path, { from: since ?? at, tone: toneOf(tags), states });
  }
  if (!model.segments.has(OVERALL)) remembered(model, OVERALL, overallOf(at, status));
  model.samples.push({ at, delivered: status.delivered });
  return model;
}

const overallOf = (from: number, { status }: StatusView): Segment => ({
  from,
  tone: toneOfStatus(status),
  states: [status],
});

export function apply(model: Model, entry: Entry): void {
  if (entry.seq <= model.seq) return;
  model.seq = entry.seq;
  model.at = entry.at;
  remember(model, entry);
  switch (entry.kind) {
    case 'actor':
      model.actors.set(entry.actor.path, { ...entry.actor });
      keepTitle(model, entry.actor.path, entry.actor.title);
      break;
    case 'gone':
      model.actors.delete(entry.path);
      break;
    case 'step':
      move(model, entry);
      break;
    case 'title': {
      const actor = model.actors.get(entry.path);
      if (actor !== undefined) actor.title = entry.title;
      keepTitle(model, entry.path, entry.title);
      break;
    }
    case 'timers': {
      const actor = model.actors.get(entry.path);
      if (actor !== undefined) actor.timers = entry.timers;
      break;
    }
    case 'status':
      model.status = entry.status;
      break;
    case 'left':
      model.left = { exitCode: entry.exitCode, reason: entry.reason };
      break;
  }
}

function keepTitle({ titles }: Model, path: string, title: string | null): void {
  if (title == null) return;
  titles.delete(path);
  titles.set(path, title);
  const [oldest] = titles.keys();
  if (titles.size > TITLES_KEPT && oldest !== undefined) titles.delete(oldest);
}

function move(model: Model, { path, from, to, tags, status, run, at }: Step & { at: number }): void {
  const actor = model.actors.get(path);
  if (actor === undefined) return;
  actor.status = status;
  actor.tags = tags;
  actor.run = run;
  if (from === null) return;
  actor.states = to;
  actor.since = at;
}

/** What the past is made of: the log, the timeline and the sparkline. */
function remember(model: Model, entry: Entry): void {
  const { at } = entry;
  if (entry.kind === 'step') {
    keepRow(model, entry);
    if (entry.from !== null)
      remembered(model, entry.path, { from: at, tone: toneOf(entry.tags), states: entry.to });
  } else if (entry.kind === 'actor') {
    const { path, tags, states } = entry.actor;
    remembered(model, path, { from: at, tone: toneOf(tags), states });
  } else if (entry.kind === 'gone') {
    if (model.segments.has(entry.path))
      extend(model.segments, entry.path, { from: at, tone: null, states: [] });
  } else if (entry.kind === 'status') {
    remembered(model, OVERALL, overallOf(at, entry.status));
    model.samples.push({ at, delivered: entry.status.delivered });
    const [first] = model.samples;
    if (first !== undefined && first.at < at - TIMELINE_MS) model.samples.shift();
  }
}

function keepRow(model: Model, step: Step & { seq: number; at: number }): void {
  model.log.push({ ...step, isSteady: isSteady(step) });
  if (model.log.length <= LOG_ROWS * 1.2) return;
  model.lost += model.log.length - LOG_ROWS;
  model.log.splice(0, model.log.length - LOG_ROWS);
}

/** Whether the machine is well and the event is its own: a timer, the end of a call, or an event to itself. */
const isSteady = ({ path, by, event, tags }: Step): boolean =>
  hasTimeline(path) &&
  calm(toneOf(tags)) === 'ready' &&
  (by === path || event.startsWith('xstate.after.')) &&
  !event.startsWith('xstate.error.');

/** Sessions come and go by the thousand; the timeline is for what stays. */
const hasTimeline = (path: string): boolean => !/\/(?:notification|beat):/.test(path);

function remembered(model: Model, path: string, segment: Segment): void {
  if (hasTimeline(path)) extend(model.segments, path, segment);
}

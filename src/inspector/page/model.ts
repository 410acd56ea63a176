/** What the page knows, from the entries of the stream or of a recording. No DOM here. */
import type { ActorView, Entry, Hello, Picture, StatusView, Step } from '../wire.ts';
import { toneOf, type Tone } from './tone.ts';

/** Rows that the log keeps. */
const LOG_ROWS = 5_000;
/** How far back the timeline goes, in milliseconds. */
export const TIMELINE_MS = 15 * 60_000;

/** The path under which the timeline keeps the overall status. */
export const OVERALL = '';

export interface LogRow extends Step {
  seq: number;
  at: number;
}

/** How an actor was from then until the next segment; `tone` is null while it was not there. */
export interface Segment {
  from: number;
  tone: Tone | null;
  states: readonly string[];
}

export interface Sample {
  at: number;
  delivered: number;
}

export interface Model {
  picture: Picture;
  actors: Map<string, ActorView>;
  status: StatusView;
  log: LogRow[];
  /** Rows that the log has lost at its beginning. */
  lost: number;
  segments: Map<string, Segment[]>;
  samples: Sample[];
  left: { exitCode: number; reason: string } | null;
  /** The last entry that was taken. */
  seq: number;
  at: number;
}

export function createModel({ picture, history }: Hello): Model {
  const { actors, status, seq, at } = picture;
  const model: Model = {
    picture,
    actors: new Map(actors.map((actor) => [actor.path, { ...actor }])),
    status,
    log: [],
    lost: 0,
    segments: new Map(),
    samples: [],
    left: null,
    seq,
    at,
  };
  for (const entry of history) remember(model, entry);
  for (const { path, since, tags, states } of actors) {
    if (!model.segments.has(path)) extend(model.segments, path, since ?? at, toneOf(tags), states);
  }
  if (!model.segments.has(OVERALL))
    extend(model.segments, OVERALL, at, toneOfStatus(status), [status.status]);
  model.samples.push({ at, delivered: status.delivered });
  return model;
}

export function apply(model: Model, entry: Entry): void {
  if (entry.seq <= model.seq) return;
  model.seq = entry.seq;
  model.at = entry.at;
  remember(model, entry);
  switch (entry.kind) {
    case 'actor':
      model.actors.set(entry.actor.path, { ...entry.actor });
      break;
    case 'gone':
      model.actors.delete(entry.path);
      break;
    case 'step':
      move(model, entry);
      break;
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

function move(model: Model, { path, from, to, tags, status, at }: Step & { at: number }): void {
  const actor = model.actors.get(path);
  if (actor === undefined) return;
  actor.status = status;
  actor.tags = tags;
  if (from === null) return;
  actor.states = to;
  actor.since = at;
}

/** What the past is made of: the log, the timeline and the sparkline. */
function remember(model: Model, entry: Entry): void {
  const { at } = entry;
  if (entry.kind === 'step') {
    model.log.push(entry);
    if (model.log.length > LOG_ROWS * 1.2) {
      model.lost += model.log.length - LOG_ROWS;
      model.log.splice(0, model.log.length - LOG_ROWS);
    }
    if (entry.from !== null) extend(model.segments, entry.path, at, toneOf(entry.tags), entry.to);
  } else if (entry.kind === 'actor') {
    const { path, tags, states } = entry.actor;
    extend(model.segments, path, at, toneOf(tags), states);
  } else if (entry.kind === 'gone') {
    model.segments.get(entry.path)?.push({ from: at, tone: null, states: [] });
  } else if (entry.kind === 'status') {
    extend(model.segments, OVERALL, at, toneOfStatus(entry.status), [entry.status.status]);
    model.samples.push({ at, delivered: entry.status.delivered });
    const [first] = model.samples;
    if (first !== undefined && first.at < at - TIMELINE_MS) model.samples.shift();
  }
}

/** Lanes come and go by the thousand; the timeline is for what stays. */
const hasTimeline = (path: string): boolean => !path.includes('/lane:');

function extend(
  segments: Map<string, Segment[]>,
  path: string,
  from: number,
  tone: Tone,
  states: readonly string[],
): void {
  if (!hasTimeline(path)) return;
  const line = segments.get(path) ?? [];
  segments.set(path, line);
  const last = line.at(-1);
  if (last?.tone === calm(tone)) {
    // Only what looks different is a new segment.
    if (calm(tone) === 'ready' || last.states.join() === states.join()) return;
  }
  line.push({ from, tone: calm(tone), states });
  while ((line[1]?.from ?? Infinity) < from - TIMELINE_MS) line.shift();
}

/** A machine at work flickers between ready and busy: all of that is well. */
const calm = (tone: Tone): Tone => (tone === 'busy' || tone === 'plain' ? 'ready' : tone);

const STATUS_TONE: Record<StatusView['status'], Tone> = {
  healthy: 'ready',
  degraded: 'degraded',
  starting: 'starting',
  draining: 'draining',
  failed: 'failed',
};

export const toneOfStatus = ({ status }: StatusView): Tone => STATUS_TONE[status];

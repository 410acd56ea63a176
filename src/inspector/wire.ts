/**
 * Everything that the inspector sends: ids, states, tags, names of events, times and counters. It never sends a context,
 * input, output, payload or error. The page and the recordings consist of these types alone.
 * All times are milliseconds since the epoch.
 */
import type { Tag } from '../../machines/shared/tags.ts';
import type { HealthStatus } from '../health/report.ts';
import type { Segment } from './segments.ts';

export interface TimerView {
  /** The delay's name, as the machine calls it; for a raised event that event's type. */
  name: string;
  /** The id of the state that waits; null for a timer that no state holds. */
  state: string | null;
  /** When it fires. */
  at: number;
}

export type ActorStatus = 'active' | 'done' | 'error' | 'stopped';

export interface ActorView {
  /** `supervisor/delivery/notification:...`: stays the same through restarts, which XState's session ids do not. */
  path: string;
  /** The path of its parent; null for the root. */
  parent: string | null;
  id: string;
  /**
   * Agent and task of a session, `engineer · Fix the login bug`; null for everything else, and while they are not
   * known.
   */
  title: string | null;
  /** The machine's id; null for an actor that is none, such as the health server. */
  machine: string | null;
  /** The leaves of its state value, `active.gate.open`. */
  states: string[];
  tags: Tag[];
  status: ActorStatus;
  /** What its open run is at, `round 3: task_status (2 of 3)`; null where there is nothing to say. */
  run: string | null;
  /** When it entered the state that it is in; null where that is not known. */
  since: number | null;
  /** The soonest first. */
  timers: TimerView[];
  /** Restarts after a crash, since the process began. */
  restarts: number;
}

/** One thing that is not well. */
export interface ProblemView {
  /** The id of the machine that says so. */
  source: string;
  problem: string;
  since: number | null;
  /** When it is tried again; null when nothing is planned. */
  nextTryAt: number | null;
}

/** An open run. The gateway's signs move no machine, so they are sent with the counters. */
export interface RunView {
  /** The id of the machine that has it. */
  id: string;
  /** When the round began, whether or not anything was heard of it since. */
  since: number | null;
  /** When the gateway last sent anything, to two seconds; null where nobody listened. */
  lastSignAt: number | null;
  /** When it is cut off; null without a limit. */
  until: number | null;
}

export interface StatusView {
  status: HealthStatus;
  /** Why, whole: the same sentence as on /health. */
  reason: string;
  problems: ProblemView[];
  /** Since the process began. */
  delivered: number;
  failed: number;
  parked: number;
  /** Right now. */
  inFlight: number;
  queued: number;
  runs: RunView[];
}

/** One event that one machine has dealt with. */
export interface Step {
  path: string;
  /** The leaves before and after; `from` is null when nothing changed. */
  from: string[] | null;
  to: string[];
  tags: Tag[];
  status: ActorStatus;
  /** As in {@link ActorView}. */
  run: string | null;
  /** The event's type. */
  event: string;
  /** The path of the actor that sent it; null for one from outside. */
  by: string | null;
  /** The name of the invoked or spawned logic that sent it, where that is no actor of the tree. */
  call: string | null;
  /** The edges taken, as {@link edgeKey} names them. */
  edges: string[];
}

export type News =
  /** An actor began, or began again, or is seen for the first time. */
  | { kind: 'actor'; actor: ActorView }
  | { kind: 'gone'; path: string }
  | ({ kind: 'step' } & Step)
  | { kind: 'title'; path: string; title: string }
  | { kind: 'timers'; path: string; timers: TimerView[] }
  | { kind: 'status'; status: StatusView }
  /** The process leaves; nothing comes after it. */
  | { kind: 'left'; exitCode: number; reason: string };

/** News with its place in the stream. */
export type Entry = { seq: number; at: number } & News;

/** Notifications that were delivered until then, since the process began. */
export interface Sample {
  at: number;
  delivered: number;
}

/** How it was before the picture was taken. */
export interface PastView {
  /** By the path of the actor; `` is the overall status. */
  lines: Record<string, Segment[]>;
  samples: Sample[];
}

/** Everything as it is now. */
export interface Picture {
  /** Which stream this is: numbers of another one mean nothing here. */
  epoch: string;
  /** The last entry that is in the picture. */
  seq: number;
  at: number;
  /** The version of the runtime. */
  version: string;
  actors: ActorView[];
  status: StatusView;
  past: PastView;
}

/** What a viewer is told first. `history` are earlier entries, which are in the picture already. */
export interface Hello {
  picture: Picture;
  history: Entry[];
}

/** The first line of a recording; each further line is an Entry. */
export interface RecordingHead {
  recording: 1;
  picture: Picture;
}

/**
 * How an edge of a chart is named: the state that it leaves, the event, and which of the transitions for that event it
 * is. The drawings carry the same three as `data-from`, `data-event` and `data-index`; a transition without an event is `always`.
 */
export const edgeKey = (from: string, event: string, index: number): string => `${from} ${event} ${index}`;

/** The commands that may be sent: events of the supervisor that do no harm, and what they do in words. */
export const COMMANDS = {
  'delivery.poll': 'Look for notifications now',
  'gateway.probe': 'Ask the gateway now',
  'upgrade.check': 'Look for an upgrade now',
  'signal.upgrade': 'Drain and leave for an upgrade',
} as const;

export type CommandName = keyof typeof COMMANDS;

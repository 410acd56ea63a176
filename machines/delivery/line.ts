import type { NotificationRow } from '../shared/mission-control.ts';
import { jobId, jobTime, laneKey, type Job } from '../lane/job.ts';

/** In line for a slot, at work, at rest after a failure, or with nothing to do. */
export type Phase = 'inLine' | 'working' | 'resting' | 'idle';

/** One session's place. `jobs` are oldest first; the head is the one that the lane has, or will get next. */
export interface LaneInLine {
  key: string;
  /**
   * Its machine's id among delivery's children: a small number. XState copies all children as one starts or stops, and
   * V8 copies those with numbers for keys ten times as quickly (docs/adr/0012).
   */
  actorId: string;
  phase: Phase;
  jobs: readonly Job[];
  /** Its lane machine is up. */
  alive: boolean;
  /** Since when it waits, though it gave its jobs back: a thread that is written in all the time must have its turn. */
  seat: number | null;
}

/**
 * The lanes and who is next. Pure: delivery keeps a Line in its context and changes it with these functions alone.
 * Sorted arrays, since a change copies them: with a thousand lanes that is a hundred times as quick as copying a record.
 */
export interface Line {
  /** By key. */
  lanes: readonly LaneInLine[];
  /** Those in line, the next one first: whose head, or seat, is oldest. */
  queue: readonly LaneInLine[];
  /** Lanes by phase. */
  counts: Readonly<Record<Phase, number>>;
  /** Actor ids that are free again; with those of the lanes they are the numbers from 0 on, without a gap. */
  freed: readonly string[];
}

export const EMPTY_LINE: Line = {
  lanes: [],
  queue: [],
  counts: { inLine: 0, working: 0, resting: 0, idle: 0 },
  freed: [],
};

export function laneOf({ lanes }: Line, key: string): LaneInLine | undefined {
  const lane = lanes[placeOf(lanes, key)];
  return lane?.key === key ? lane : undefined;
}

/** The lane with that machine. */
export const laneWith = ({ lanes }: Line, actorId: string): LaneInLine | undefined =>
  lanes.find((lane) => lane.actorId === actorId);

export function enqueue(line: Line, job: Job): Line {
  const key = laneKey(job);
  const lane = laneOf(line, key) ?? newLane(line, key);
  if (lane.jobs.some((known) => jobId(known) === jobId(job))) return line;
  // The head of a lane that has it in hand stays where it is, whatever comes in.
  const isHeld = lane.phase === 'working' || lane.phase === 'resting';
  const held = isHeld ? 1 : 0;
  const waiting = [...lane.jobs.slice(held), job].sort((a, b) => jobTime(a) - jobTime(b));
  const jobs = [...lane.jobs.slice(0, held), ...waiting];
  return put(line, { ...lane, phase: isHeld ? lane.phase : 'inLine', jobs });
}

const newLane = ({ lanes, freed }: Line, key: string): LaneInLine => ({
  key,
  actorId: freed.at(-1) ?? String(lanes.length),
  phase: 'idle',
  jobs: [],
  alive: false,
  seat: null,
});

/** Takes a page of rows into the line, leaving out what is not to be taken (again). */
export function enqueuePage(
  line: Line,
  rows: readonly NotificationRow[],
  leaveOut: ReadonlySet<string>,
): Line {
  const known = new Set(leaveOut);
  for (const id of knownIds(line)) known.add(id);
  return rows
    .filter((row) => !known.has(row._id))
    .reduce<Line>((grown, row) => enqueue(grown, { kind: 'notification', row }), line);
}

export const setPhase = (line: Line, key: string, phase: Phase): Line => change(line, key, { phase });

/** It gets a slot, and a machine where it has none. */
export const start = (line: Line, key: string): Line => change(line, key, { phase: 'working', alive: true });

/** The head job is over: the lane goes back in line with the next, or has nothing to do. */
export const settle = (line: Line, key: string): Line =>
  change(line, key, ({ jobs }) => ({ ...backWith(jobs.slice(1)), seat: null }));

/**
 * The head job goes back to the backend, and the notifications behind it with it: the next look brings them all in
 * their order. Kept in line they would go before it. Beats are ours alone, and stay. The lane keeps its seat, or takes
 * one.
 */
export const release = (line: Line, key: string): Line =>
  change(line, key, ({ jobs: [head, ...others], seat }) => ({
    ...backWith(others.filter(({ kind }) => kind === 'beat')),
    seat: head === undefined ? null : Math.min(seat ?? Infinity, jobTime(head)),
  }));

const backWith = (jobs: readonly Job[]): Pick<LaneInLine, 'phase' | 'jobs'> => ({
  phase: jobs.length === 0 ? 'idle' : 'inLine',
  jobs,
});

/** Lanes that did not come back to their seats with the page give them up. */
export const giveUpSeats = (line: Line): Line =>
  line.lanes
    .filter(({ phase, seat }) => phase === 'idle' && seat !== null)
    .reduce((left, { key }) => change(left, key, { seat: null }), line);

/** Nobody waits any more: what was not begun is left to the backend. */
export const emptyQueue = (line: Line): Line =>
  line.queue.reduce(
    (left, { key, alive }) => (alive ? change(left, key, backWith([])) : without(left, key)),
    line,
  );

export function without(line: Line, key: string): Line {
  const lane = laneOf(line, key);
  if (lane === undefined) return line;
  return {
    lanes: line.lanes.toSpliced(placeOf(line.lanes, key), 1),
    queue: leave(line.queue, lane),
    counts: count(line.counts, lane.phase, -1),
    freed: line.lanes.length === 1 ? [] : [...line.freed, lane.actorId],
  };
}

/** Who gets the next slot, and the notification behind its job. */
export function nextInLine({
  queue: [lane],
}: Line): (Pick<LaneInLine, 'key' | 'actorId' | 'alive'> & { job: Job; next: string | null }) | null {
  const [job, behind] = lane?.jobs ?? [];
  if (lane === undefined || job === undefined) return null;
  const next = behind?.kind === 'notification' ? jobId(behind) : null;
  return { key: lane.key, actorId: lane.actorId, alive: lane.alive, job, next };
}

/** Those with nothing to do, and nothing to wait for. */
export const idleLanes = ({ lanes }: Line): LaneInLine[] =>
  lanes.filter(({ phase, seat }) => phase === 'idle' && seat === null);

export function* knownIds({ lanes }: Line): Generator<string> {
  for (const { jobs } of lanes) for (const job of jobs) yield jobId(job);
}

/** The notifications that have their turn, or will next: one for each lane. */
export const headIds = ({ lanes }: Line): string[] =>
  lanes.flatMap(({ jobs: [head] }) => (head?.kind === 'notification' ? [jobId(head)] : []));

/** Jobs that nobody works on yet. */
export const countQueued = ({ lanes }: Line): number =>
  lanes.reduce((sum, { jobs, phase }) => sum + jobs.length - (phase === 'working' ? 1 : 0), 0);

type Change = Partial<Omit<LaneInLine, 'key' | 'actorId'>>;

function change(line: Line, key: string, by: Change | ((lane: LaneInLine) => Change)): Line {
  const lane = laneOf(line, key);
  return lane === undefined ? line : put(line, { ...lane, ...(typeof by === 'function' ? by(lane) : by) });
}

/** In place of the lane of that key, or new. */
function put({ lanes, queue, counts, freed }: Line, lane: LaneInLine): Line {
  const at = placeOf(lanes, lane.key);
  const before = lanes[at];
  if (before?.key !== lane.key) {
    return {
      lanes: lanes.toSpliced(at, 0, lane),
      queue: join(queue, lane),
      counts: count(counts, lane.phase, 1),
      freed: freed.slice(0, -1),
    };
  }
  return {
    lanes: lanes.with(at, lane),
    queue: join(leave(queue, before), lane),
    counts: before.phase === lane.phase ? counts : count(count(counts, before.phase, -1), lane.phase, 1),
    freed,
  };
}

const count = (counts: Line['counts'], phase: Phase, by: 1 | -1): Line['counts'] => ({
  ...counts,
  [phase]: counts[phase] + by,
});

/** Since when it waits for its turn. */
const since = ({ jobs: [head], seat }: LaneInLine): number =>
  Math.min(head === undefined ? Infinity : jobTime(head), seat ?? Infinity);

/** Behind those that wait as long. */
function join(queue: Line['queue'], lane: LaneInLine): Line['queue'] {
  if (lane.phase !== 'inLine') return queue;
  const time = since(lane);
  return queue.toSpliced(
    firstWhere(queue, (other) => since(other) > time),
    0,
    lane,
  );
}

function leave(queue: Line['queue'], lane: LaneInLine): Line['queue'] {
  if (lane.phase !== 'inLine') return queue;
  const time = since(lane);
  const from = firstWhere(queue, (other) => since(other) >= time);
  return queue.toSpliced(queue.indexOf(lane, from), 1);
}

/** Where the lane is, or belongs. */
const placeOf = (lanes: Line['lanes'], key: string): number => firstWhere(lanes, (lane) => lane.key >= key);

/** Bisects. @param holds of none of the first, and of all from some place on; @returns that place */
function firstWhere(lanes: readonly LaneInLine[], holds: (lane: LaneInLine) => boolean): number {
  let low = 0;
  let high = lanes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const lane = lanes[middle];
    if (lane !== undefined && holds(lane)) high = middle;
    else low = middle + 1;
  }
  return low;
}

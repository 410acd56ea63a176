import type { NotificationRow } from '../shared/mission-control.ts';
import { jobId, jobTime, laneKey, type Job } from '../lane/job.ts';

/**
 * The lanes and who is next. Pure: delivery keeps a Line in its context and changes it with these functions alone.
 * `jobs` are oldest first; the head is the one that the lane has, or will get next.
 */
export interface LaneInLine {
  phase: 'inLine' | 'working' | 'resting';
  jobs: readonly Job[];
  /** Its lane machine has been spawned. */
  alive: boolean;
}

export type Line = Readonly<Record<string, LaneInLine>>;

export function enqueue(line: Line, job: Job): Line {
  const key = laneKey(job);
  const lane = line[key] ?? { phase: 'inLine', jobs: [], alive: false };
  if (lane.jobs.some((known) => jobId(known) === jobId(job))) return line;
  // The head of a lane that has it in hand stays where it is, whatever comes in.
  const held = lane.phase === 'inLine' ? 0 : 1;
  const waiting = [...lane.jobs.slice(held), job].sort((a, b) => jobTime(a) - jobTime(b));
  return { ...line, [key]: { ...lane, jobs: [...lane.jobs.slice(0, held), ...waiting] } };
}

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

export const newLanes = (line: Line): string[] =>
  Object.entries(line)
    .filter(([, lane]) => !lane.alive)
    .map(([key]) => key);

export function markAlive(line: Line): Line {
  if (newLanes(line).length === 0) return line;
  return Object.fromEntries(Object.entries(line).map(([key, lane]) => [key, { ...lane, alive: true }]));
}

export const setPhase = (line: Line, key: string, phase: LaneInLine['phase']): Line => {
  const lane = line[key];
  return lane === undefined ? line : { ...line, [key]: { ...lane, phase } };
};

/** The head job is over: the lane goes back in line with the next, or out of the line when there is none. */
export function settle(line: Line, key: string): Line {
  const lane = line[key];
  if (lane === undefined) return line;
  const jobs = lane.jobs.slice(1);
  return jobs.length === 0 ? without(line, key) : { ...line, [key]: { ...lane, phase: 'inLine', jobs } };
}

/**
 * The head job goes back to the backend, and the notifications behind it with it: the next look brings them all in
 * their order. Kept in line they would go before it. Beats are ours alone, and stay.
 */
export function release(line: Line, key: string): Line {
  const lane = line[key];
  if (lane === undefined) return line;
  const jobs = lane.jobs.slice(1).filter(({ kind }) => kind === 'beat');
  return jobs.length === 0 ? without(line, key) : { ...line, [key]: { ...lane, phase: 'inLine', jobs } };
}

export function without(line: Line, key: string): Line {
  const rest = { ...line };
  Reflect.deleteProperty(rest, key);
  return rest;
}

/** Since when lanes wait that gave their jobs back: a thread that is written in all the time must have its turn. */
export type Seats = Readonly<Record<string, number>>;

/** Who gets the next slot: the lane in line whose head, or seat, is oldest. */
export function nextInLine(line: Line, seats: Seats = {}): { key: string; job: Job } | null {
  let best: { key: string; job: Job; since: number } | null = null;
  for (const [key, lane] of Object.entries(line)) {
    const job = lane.phase === 'inLine' ? lane.jobs[0] : undefined;
    if (job === undefined) continue;
    const since = Math.min(jobTime(job), seats[key] ?? Infinity);
    if (best === null || since < best.since) best = { key, job, since };
  }
  return best && { key: best.key, job: best.job };
}

/** A lane that gives its jobs back keeps its seat, or takes one; a lane that is done with a job gives it up. */
export function changeSeat(seats: Seats, line: Line, key: string, released: boolean): Seats {
  const { [key]: seat, ...others } = seats;
  const head = line[key]?.jobs[0];
  if (!released || head === undefined) return others;
  return { ...others, [key]: Math.min(seat ?? Infinity, jobTime(head)) };
}

/** Without the seats of lanes that did not come back. */
export const keepSeats = (seats: Seats, line: Line): Seats =>
  Object.fromEntries(Object.entries(seats).filter(([key]) => line[key] !== undefined));

export function countPhase(line: Line, phase: LaneInLine['phase']): number {
  return Object.values(line).filter((lane) => lane.phase === phase).length;
}

export function* knownIds(line: Line): Generator<string> {
  for (const lane of Object.values(line)) for (const job of lane.jobs) yield jobId(job);
}

/** The notifications that have their turn, or will next: one for each lane. */
export const headIds = (line: Line): string[] =>
  Object.values(line).flatMap(({ jobs: [head] }) => (head?.kind === 'notification' ? [jobId(head)] : []));

/** Jobs that nobody works on yet. */
export function countQueued(line: Line): number {
  return Object.values(line).reduce(
    (sum, lane) => sum + lane.jobs.length - (lane.phase === 'working' ? 1 : 0),
    0,
  );
}

/** Runs scheduled functions and crons when they are due: mutations exactly once, actions at most once. */
import type { JSONValue } from 'convex/values';
import { LONGEST_TIMER_MS } from '../../../config/duration.ts';
import { readCrons, type CronJob } from './crons.ts';
import { ADMIN, type Engine } from './engine.ts';
import { encodeKey, afterPrefix } from './keys.ts';
import { SCHEDULED } from './schema.ts';
import { parseDocument, requireIndex, type Range, type Table } from './tables.ts';
import type { Modules } from './functions.ts';

const KEPT_MS = 7 * 24 * 60 * 60 * 1000;
const MOST_AT_ONCE = 8;
/** How long a job waits for its next try when its end could not be stored. */
const REST_MS = 5_000;

interface Job {
  _id: string;
  name: string;
  args: [JSONValue];
  scheduledTime: number;
}

export interface Scheduler {
  stop(): void;
}

/** @param log told of functions that failed */
export async function startScheduler(
  engine: Engine,
  modules: Modules,
  log: (line: string) => void,
): Promise<Scheduler> {
  const table = requireScheduled(engine);
  const due = requireIndex(table, 'by_due').number;
  const timers = new Map<string, NodeJS.Timeout>();
  const running = new Set<string>();
  let isStopped = false;

  /** @param time milliseconds since the epoch; a timer of the same name is set anew */
  function wake(name: string, time: number, work: () => void): void {
    clearTimeout(timers.get(name));
    if (isStopped) return;
    const wait = Math.min(Math.max(0, time - Date.now()), LONGEST_TIMER_MS);
    timers.set(name, setTimeout(work, wait));
  }

  function runDue(): void {
    const jobs = jobsIn(engine, due, 'pending', MOST_AT_ONCE + running.size);
    for (const job of jobs.filter(({ _id }) => !running.has(_id))) {
      if (job.scheduledTime > Date.now() || running.size >= MOST_AT_ONCE) break;
      running.add(job._id);
      void runJob(engine, job, log).then((isNoted) => {
        const rest = (): void => {
          running.delete(job._id);
          arm();
        };
        if (isNoted) rest();
        else wake(job._id, Date.now() + REST_MS, rest);
      });
    }
    arm();
  }

  function arm(): void {
    const jobs = jobsIn(engine, due, 'pending', 1 + running.size);
    const next = jobs.find(({ _id }) => !running.has(_id));
    if (next && running.size < MOST_AT_ONCE) wake('jobs', next.scheduledTime, runDue);
  }

  function armCron(cron: CronJob, time: number): void {
    wake(`cron ${cron.name}`, time, () => {
      void runCron(engine, cron, log).then((next) => armCron(cron, next));
    });
  }

  await endInterrupted(engine, due);
  await prune(engine, table);
  engine.onCommit(({ touches }) => {
    if (touches.some(({ index }) => index === due)) arm();
  });
  arm();
  for (const cron of readCrons(modules)) {
    engine.find(cron.path);
    armCron(cron, await firstTime(engine, cron));
  }
  return {
    stop() {
      isStopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}

function requireScheduled({ store }: Engine): Table {
  const table = store.tables.get(SCHEDULED);
  if (table) return table;
  throw new Error('The table of scheduled functions is missing.');
}

function jobsIn({ store }: Engine, index: number, state: string, limit: number): Job[] {
  const from = encodeKey([state]);
  return store
    .scan({ index, from, to: afterPrefix(from) }, 'asc', limit)
    .map(({ text }) => JSON.parse(text) as Job);
}

/** @returns whether the job's end is written down */
async function runJob(engine: Engine, job: Job, log: (line: string) => void): Promise<boolean> {
  try {
    const { kind } = engine.find(job.name);
    if (kind === 'mutation') await runMutationJob(engine, job);
    else if (await setState(engine, job, 'pending', { kind: 'inProgress' })) await runActionJob(engine, job);
    return true;
  } catch (error) {
    log(`the scheduled function ${job.name} failed: ${messageOf(error)}`);
    return await fail(engine, job, messageOf(error), log);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Its end is kept together with what it wrote. */
const runMutationJob = (engine: Engine, job: Job): Promise<void> =>
  engine.write(async (transaction, request) => {
    const text = transaction.get(job._id);
    if (text === null || stateOf(text) !== 'pending') return;
    const ended = { state: { kind: 'success' }, completedTime: Date.now() };
    transaction.patch(job._id, ended);
    await engine.perform({ kind: 'mutation', path: job.name, args: job.args[0] }, transaction, request);
  });

async function runActionJob(engine: Engine, job: Job): Promise<void> {
  await engine.call({ kind: 'action', path: job.name, args: job.args[0] }, ADMIN);
  await setState(engine, job, 'inProgress', { kind: 'success' });
}

async function fail(engine: Engine, job: Job, error: string, log: (line: string) => void): Promise<boolean> {
  try {
    await engine.write((transaction) => {
      const text = transaction.get(job._id);
      if (text === null || stateOf(text) === 'canceled') return;
      transaction.patch(job._id, { state: { kind: 'failed', error }, completedTime: Date.now() });
    });
    return true;
  } catch (problem) {
    log(`what became of ${job.name} could not be noted: ${messageOf(problem)}`);
    return false;
  }
}

const stateOf = (text: string): string => (JSON.parse(text) as { state: { kind: string } }).state.kind;

/** @returns whether the job was in the state before */
const setState = (engine: Engine, job: Job, before: string, state: { kind: string }): Promise<boolean> =>
  engine.write((transaction) => {
    const text = transaction.get(job._id);
    if (text === null || stateOf(text) !== before) return false;
    transaction.patch(job._id, { state, ...(state.kind !== 'inProgress' && { completedTime: Date.now() }) });
    return true;
  });

/** Actions that were under way when the process ended. Nobody knows whether they did their work. */
async function endInterrupted(engine: Engine, due: number): Promise<void> {
  const state = { kind: 'failed', error: 'The process ended while the action was running.' };
  for (const job of jobsIn(engine, due, 'inProgress', LONGEST_TIMER_MS)) {
    await setState(engine, job, 'inProgress', state);
  }
}

async function prune(engine: Engine, table: Table): Promise<void> {
  const range: Range = {
    index: requireIndex(table, 'by_completion').number,
    from: encodeKey([0]),
    to: encodeKey([Date.now() - KEPT_MS]),
  };
  await engine.write((transaction) => {
    for (const { text } of engine.store.scan(range, 'asc', 1000)) transaction.remove(parseDocument(text)._id);
  });
}

/** The time that was stored before, so that a restart does not delay it; one step from now at the latest. */
async function firstTime(engine: Engine, cron: CronJob): Promise<number> {
  const found = engine.store.database.prepare('SELECT due FROM crons WHERE name = ?').get(cron.name) as
    { due: number } | undefined;
  const due = Math.min(found?.due ?? Infinity, cron.next(Date.now()));
  await engine.write(() => putDown(engine, cron, due));
  return due;
}

function putDown({ store }: Engine, { name }: CronJob, due: number): void {
  store.database
    .prepare('INSERT INTO crons (name, due) VALUES (?, ?) ON CONFLICT DO UPDATE SET due = excluded.due')
    .run(name, due);
}

/** Runs the cron once, however many times were missed. @returns the next time */
async function runCron(engine: Engine, cron: CronJob, log: (line: string) => void): Promise<number> {
  const { path, args } = cron;
  const next = cron.next(Date.now());
  try {
    const { kind } = engine.find(path);
    await engine.write(async (transaction, request) => {
      putDown(engine, cron, next);
      if (kind === 'mutation') await engine.perform({ kind, path, args }, transaction, request);
    });
    if (kind === 'action') await engine.call({ kind, path, args }, ADMIN);
  } catch (error) {
    log(`the cron "${cron.name}" failed: ${messageOf(error)}`);
  }
  return next;
}

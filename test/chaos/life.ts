import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../kits/contract-backend/history.ts';
import type { Random } from '../kits/random.ts';
import type { Life } from './evidence.ts';
import { readJournal } from './journal-rows.ts';

/** How a process is to end; times in milliseconds. */
export type Plan =
  /** SIGKILL so long after the spawn: most likely during the start. */
  | { kind: 'killAtStart'; afterMs: number }
  /** SIGKILL so long after its first run. */
  | { kind: 'killAtWork'; afterMs: number }
  /** SIGTERM so long after its first run, SIGKILL later, in the drain unless that is over. */
  | { kind: 'killInDrain'; afterMs: number; thenMs: number }
  /** SIGTERM so long after its first run, a second one later; no SIGKILL. */
  | { kind: 'abort'; afterMs: number; thenMs: number };

const START_MS = 600;
const WORK_MS = 600;
const DRAIN_MS = 120;
/** A second signal that comes sooner is taken for an echo of the first (250 ms). */
const ECHO_MS = 300;
/** A process without a run is ended after this time. On a busy machine it needs some time until it can take signals. */
const FIRST_RUN_LIMIT_MS = 15_000;
const KEPT_LINES = 30;

export function drawPlan(random: Random): Plan {
  const kind = random();
  const when = random();
  const then = random() * DRAIN_MS;
  if (kind < 0.25) return { kind: 'killAtStart', afterMs: when * START_MS };
  if (kind < 0.75) return { kind: 'killAtWork', afterMs: when * WORK_MS };
  if (kind < 0.9) return { kind: 'killInDrain', afterMs: when * WORK_MS, thenMs: then };
  return { kind: 'abort', afterMs: when * WORK_MS, thenMs: ECHO_MS + then };
}

export interface LifeOptions {
  number: number;
  /** The built runtime. */
  entry: string;
  stateDir: string;
  env: Record<string, string>;
}

export interface RunningLife {
  /** SIGTERM, unless the process is gone. */
  terminate(): void;
  /** SIGKILL, unless the process is gone. */
  kill(): void;
  /** Settles when the process is gone and its journal is read. */
  ended: Promise<Life>;
}

/** Stopping the harness also stops its runtime. */
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export function startLife({ number, entry, stateDir, env }: LifeOptions): RunningLife {
  const child = spawn(process.execPath, [entry], {
    env: { PATH: process.env['PATH'] ?? '', STATE_DIR: stateDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  alive.add(child);
  const life: Omit<Life, 'exitedAt' | 'exitCode' | 'journal'> = {
    number,
    startedAt: monotonicMs(),
    drainedAt: null,
    abortedAt: null,
    killedAt: null,
    said: [],
  };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      life.said.push(line);
      if (life.said.length > KEPT_LINES) life.said.shift();
    });
  }
  const gone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const ended = new Promise<Life>((resolve) => {
    let exitedAt = 0;
    child.once('exit', () => {
      exitedAt = monotonicMs();
      alive.delete(child);
    });
    child.once('close', (exitCode, signal) => {
      const killedAt = signal === 'SIGKILL' ? life.killedAt : null;
      resolve({ ...life, killedAt, exitedAt, exitCode, journal: readJournal(stateDir) });
    });
  });
  return {
    terminate() {
      if (gone()) return;
      if (life.drainedAt === null) life.drainedAt = monotonicMs();
      else life.abortedAt ??= monotonicMs();
      child.kill('SIGTERM');
    },
    kill() {
      if (gone()) return;
      life.killedAt = monotonicMs();
      child.kill('SIGKILL');
    },
    ended,
  };
}

/**
 * Runs one process to the end that the plan has for it.
 * @param hasRun whether the process has begun a run
 */
export async function live(options: LifeOptions, plan: Plan, hasRun: () => boolean): Promise<Life> {
  const running = startLife(options);
  if (plan.kind === 'killAtStart') {
    await sleep(plan.afterMs);
    running.kill();
    return running.ended;
  }
  const limit = monotonicMs() + FIRST_RUN_LIMIT_MS;
  while (!hasRun() && monotonicMs() < limit) await sleep(2);
  await sleep(plan.afterMs);
  if (plan.kind === 'killAtWork') {
    running.kill();
    return running.ended;
  }
  running.terminate();
  await sleep(plan.thenMs);
  if (plan.kind === 'killInDrain') running.kill();
  else running.terminate();
  return running.ended;
}

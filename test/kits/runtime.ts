/** The built runtime as a process of its own, as an operator runs it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { onTestFinished } from 'vitest';
import type { HealthReport } from '../../src/health/report.ts';
import { until } from './until.ts';

const MAIN = join(import.meta.dirname, '../../dist/main.js');

const LogLine = v.looseObject({
  timestamp: v.pipe(v.string(), v.isoTimestamp()),
  level: v.picklist(['debug', 'info', 'warn', 'error']),
  event: v.string(),
  message: v.string(),
});

type LogLine = v.InferOutput<typeof LogLine>;

export interface RuntimeOptions {
  backend?: { url: string; accountId: string; serviceToken: string };
  /** Without one the runtime is told that there is none. */
  gateway?: { url: string; token: string };
  /** Wins over all else that the runtime is given. Beside it there is nothing but PATH. */
  env?: Record<string, string>;
  args?: readonly string[];
  /** Runs as this user; as the test's own when absent. */
  user?: { uid: number; gid: number };
  /** Starts it through another command, which then leads a process group of its own. */
  through?: { command: string; args: readonly string[] };
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process that may or may not come up. */
export interface Spawned {
  pid: number;
  stateDir: string;
  /** Lines of standard output that are log lines, and those that are not. */
  log: readonly LogLine[];
  noise: readonly string[];
  stdout(): string;
  stderr(): string;
  /** When the process is gone and all that it wrote is read. */
  exited: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
  /** Waits for a log line. @throws Error when the process ends without it */
  waitForLog(what: string, matches: (line: LogLine) => boolean): Promise<LogLine>;
}

export interface Health extends HealthReport {
  httpStatus: number;
}

export interface RuntimeProcess extends Spawned {
  /** Of its health server, without a slash at its end. */
  url: string;
  get(path: string): Promise<{ status: number; body: string }>;
  health(): Promise<Health>;
  waitForHealth(what: string, matches: (health: Health) => boolean): Promise<Health>;
}

/** Short waits, so that the suites are quick; every one of them is a setting that an operator may choose. */
const QUICK = {
  DELIVERY_INTERVAL: '1s',
  DELIVERY_BACKOFF_BASE_MS: '100ms',
  DELIVERY_BACKOFF_MAX_MS: '500ms',
  HEALTH_CHECK_INTERVAL: '1s',
};

/** Starts the process; it is killed when the test is over, whatever became of it. */
export function spawnRuntime(options: RuntimeOptions = {}): Spawned {
  const env = environment(options);
  const { command, args } = options.through ?? {
    command: process.execPath,
    args: [MAIN, ...(options.args ?? [])],
  };
  const child = spawn(command, args, {
    env,
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options.user,
    detached: options.through !== undefined,
  });
  const log: LogLine[] = [];
  const noise: string[] = [];
  let [stdout, stderr, rest] = ['', '', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) sortLine(line, log, noise);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  let isGone = false;
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      isGone = true;
      if (rest !== '') noise.push(rest);
      resolve({ code, signal });
    });
  });
  onTestFinished(async () => {
    if (options.through === undefined) child.kill('SIGKILL');
    else killGroup(child.pid);
    await exited;
  });
  return {
    pid: child.pid ?? 0,
    stateDir: env.STATE_DIR,
    log,
    noise,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    kill: (signal) => void child.kill(signal),
    waitForLog: (what, matches) =>
      until(`The runtime logs ${what}`, () => {
        const line = log.find(matches);
        if (line === undefined && isGone) throw new Error(`It ended without ${what}. ${stdout}${stderr}`);
        return line;
      }),
  };
}

const listeners = new Set<(runtime: RuntimeProcess) => void>();

/** @returns ends the listening */
export function onRuntimeStarted(listener: (runtime: RuntimeProcess) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Starts the runtime and waits for its health server. @throws Error with its own words when it does not come up */
export async function startRuntime(options: RuntimeOptions = {}): Promise<RuntimeProcess> {
  const runtime = spawnRuntime(options);
  const listening = await runtime.waitForLog('where it listens', ({ event }) => event === 'health.listening');
  const url = `http://127.0.0.1:${String(listening.port)}`;
  const get = async (path: string) => {
    const answer = await fetch(`${url}${path}`);
    return { status: answer.status, body: await answer.text() };
  };
  const health = async (): Promise<Health> => {
    const { status, body } = await get('/health');
    return { ...(JSON.parse(body) as HealthReport), httpStatus: status };
  };
  const started: RuntimeProcess = {
    ...runtime,
    url,
    get,
    health,
    waitForHealth: (what, matches) =>
      until(`/health shows ${what}`, async () => {
        const report = await health();
        return matches(report) && report;
      }),
  };
  for (const listener of listeners) listener(started);
  return started;
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL');
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ESRCH';
    if (!isGone) throw error;
  }
}

function sortLine(line: string, log: LogLine[], noise: string[]): void {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), LogLine), line);
  if (parsed.success) log.push(parsed.output);
  else noise.push(line);
}

function environment({ backend, gateway, env }: RuntimeOptions) {
  return {
    PATH: process.env.PATH ?? '',
    ...QUICK,
    HEALTH_PORT: '0',
    ...(backend && {
      CONVEX_URL: backend.url,
      ACCOUNT_ID: backend.accountId,
      SERVICE_TOKEN: backend.serviceToken,
    }),
    OPENCLAW_GATEWAY_URL: gateway?.url ?? '',
    ...(gateway && { OPENCLAW_GATEWAY_TOKEN: gateway.token }),
    STATE_DIR: env?.STATE_DIR ?? temporaryDirectory(),
    ...env,
  };
}

/** Goes when the test is over. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'mission-control-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

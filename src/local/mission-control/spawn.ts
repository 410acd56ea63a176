import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parseReady } from './ready.ts';
import type { BackendReady } from './ready.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const KILL_AFTER_MS = 5000;
/** Of the log, for the error when the process does not come up. */
const KEPT_LINES = 20;

export interface BackendOptions {
  /** 0 or absent: any free port. */
  port?: number;
  /** 64 lower-case hex digits; absent: a fresh one. */
  secret?: string;
  /** Where the data are kept; absent: in memory. */
  dataDir?: string;
  /** Tasks assigned to the engineer beside the seeded ones, each with its assignment still to deliver. */
  extraTasks?: number;
  /** Serve `POST /__faults`. */
  faults?: boolean;
  /** false: the contract alone, without what docs/contract-extensions.md adds. */
  extensions?: boolean;
  /** Gets each line that the backend logs. */
  onLog?: (line: string) => void;
}

export interface Backend extends BackendReady {
  /** The ids in `tasks`. */
  taskIds: string[];
  pid: number;
  /** Settles when the process is gone: with its exit code, null after a signal. */
  exited: Promise<number | null>;
  /** Stops the process; resolves when it is gone. */
  close(): Promise<void>;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Starts the local backend as a process of its own, which also ends when this one does.
 * @throws Error with the backend's own words when it does not come up
 */
export async function startBackend(options: BackendOptions = {}): Promise<Backend> {
  const { port = 0, extraTasks = 0 } = options;
  const child: Child = spawn(
    process.execPath,
    [main, '--port', String(port), '--extra-tasks', String(extraTasks), '--exit-with-stdin'],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      // A Ctrl-C in the terminal is for the starter: it may still have last words for this backend.
      detached: true,
      env: {
        ...process.env,
        LOCAL_SERVICE_SECRET: options.secret,
        LOCAL_DATA_DIR: options.dataDir,
        LOCAL_BACKEND_FAULTS: options.faults ? '1' : '0',
        LOCAL_BACKEND_EXTENSIONS: options.extensions === false ? '0' : '1',
      },
    },
  );
  // 'close' comes after 'exit', when the last lines have been read.
  const exited = once(child, 'close');
  const logged: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (logged.length < KEPT_LINES) logged.push(line);
    options.onLog?.(line);
  });
  const ready = await Promise.race([
    firstLine(child),
    exited.then(() => {
      // Lines that are already shown as they come are not repeated in the error.
      const why = options.onLog === undefined ? logged.join(' ') : 'Its lines above say why, and what to do.';
      throw new Error(`The local backend did not start. ${why}`);
    }),
  ]);
  return {
    ...ready,
    taskIds: ready.tasks.map(({ _id }) => _id),
    pid: child.pid ?? 0,
    exited: exited.then(() => child.exitCode),
    close: () => stop(child, exited),
  };
}

async function firstLine(child: Child): Promise<BackendReady> {
  const lines = createInterface({ input: child.stdout });
  return parseReady(await new Promise<string>((resolve) => lines.once('line', resolve)));
}

async function stop(child: Child, exited: Promise<unknown>): Promise<void> {
  const killer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
  child.kill('SIGTERM');
  await exited;
  clearTimeout(killer);
}

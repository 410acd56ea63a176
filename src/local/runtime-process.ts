import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT } from '../../machines/supervisor/context.ts';

type LeaveSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

export interface RuntimeProcess {
  /** True once the runtime is ready; false when it ended before. */
  ready: Promise<boolean>;
  /** The last exit code. */
  exited: Promise<number>;
  /** Passes the signal on, which asks it to leave; a second one, at once. */
  stop(signal: LeaveSignal): void;
}

interface Options {
  env: NodeJS.ProcessEnv;
  healthUrl: string;
  onLine: (line: string) => void;
}

const MAIN = join(import.meta.dirname, '../main.ts');
const LEAVE_WITH_PARENT = join(import.meta.dirname, 'leave-with-parent.ts');
const LOOK_EVERY_MS = 100;

/** Runs the runtime from its sources and starts it again when it leaves for an upgrade or a restart (exit 75). */
export function superviseRuntime(options: Options): RuntimeProcess {
  let child: ChildProcess;
  const life = { ended: false };
  const exited = (async () => {
    for (;;) {
      child = start(options);
      const code = await exitOf(child);
      if (code !== EXIT.upgrade) {
        life.ended = true;
        return code;
      }
      options.onLine('left with exit code 75; starting it again, as a restart policy would');
    }
  })();
  const ready = (async () => {
    while (!life.ended) {
      if (await isReady(options.healthUrl)) return true;
      await delay(LOOK_EVERY_MS);
    }
    return false;
  })();
  // A runtime that was started below nohup does not hear SIGHUP.
  const stop = (signal: LeaveSignal): void => void child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  return { ready, exited, stop };
}

function start({ env, onLine }: Options): ChildProcess {
  // xstate's development build warns about events that go nowhere.
  const flags = ['--conditions=development', '--enable-source-maps', '--import', LEAVE_WITH_PARENT];
  const child = spawn(process.execPath, [...flags, MAIN], {
    env,
    // Its standard input ends with this process.
    stdio: ['pipe', 'pipe', 'pipe'],
    // A Ctrl-C in the terminal is for us alone: the runtime would take a second signal as an order to abort.
    detached: true,
  });
  createInterface({ input: child.stdout }).on('line', onLine);
  createInterface({ input: child.stderr }).on('line', onLine);
  return child;
}

const exitOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));

async function isReady(healthUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${healthUrl}/readyz`)).ok;
  } catch {
    return false;
  }
}

/** `npm run dev` and `npm run say` as processes of their own. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/**
 * `npm run dev`, in a process group of its own as under a terminal.
 * @param root the checkout that it is started in; this one when absent
 */
export function startDev(directory: string, env: Record<string, string> = {}, root = ROOT) {
  const child = spawn(process.execPath, [join(root, 'src/local/dev.ts')], {
    env: {
      PATH: process.env.PATH,
      DEV_DIR: directory,
      LOCAL_BACKEND_PORT: '0',
      HEALTH_PORT: '0',
      INSPECTOR_PORT: '0',
      DRAIN_TIMEOUT_MS: '100ms',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const group = -(child.pid ?? 0);
  let [out, isGone] = ['', false];
  child.stdout.setEncoding('utf8').on('data', (more: string) => (out += more));
  child.stderr.setEncoding('utf8').on('data', (more: string) => (out += more));
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      isGone = true;
      resolve(code);
    });
  });
  const pressCtrlC = (): void => void process.kill(group, 'SIGINT');
  onTestFinished(async () => {
    // Killed, it would leave its children behind for a moment; told to stop, it takes them along.
    if (!isGone) pressCtrlC();
    await exited;
  });
  return { pid: child.pid, exited, pressCtrlC, kill: () => void child.kill('SIGKILL'), output: () => out };
}

/** `npm run say`, to its end. */
export async function say(directory: string, ...args: string[]) {
  const child = spawn(process.execPath, [join(ROOT, 'src/cli/say.ts'), ...args], {
    env: { PATH: process.env.PATH, DEV_DIR: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { out, err, code };
}

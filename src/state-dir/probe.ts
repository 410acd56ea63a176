import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Fault } from '../../machines/shared/fault.ts';

/**
 * Whether the file system of STATE_DIR answers at all. The store opens its files with synchronous calls, and not even
 * a thread of this process could be given up on: Node waits for it as it exits. So another process touches the
 * directory. This probe does not look at why it fails: the store tells.
 *
 * @throws Fault (journalUnavailable) when there is no answer within `limitMs` milliseconds
 */
export async function assertAnswers(stateDir: string, limitMs = 5_000): Promise<void> {
  const touch = spawn('touch', ['-c', stateDir], { stdio: 'ignore' });
  try {
    await once(touch, 'exit', { signal: AbortSignal.timeout(limitMs) });
  } catch (error) {
    // Some systems have no `touch`.
    if (!(error instanceof Error && error.name === 'AbortError')) return;
    touch.kill('SIGKILL');
    touch.unref();
    throw new Fault(
      'journalUnavailable',
      `The file system of STATE_DIR (${stateDir}) has not answered for ${limitMs / 1_000} s: mount it anew, or set STATE_DIR to a directory elsewhere.`,
    );
  }
}

import { accessSync, chmodSync, constants, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lockStateDir } from './lock.ts';

const FILES = ['journal.lock', 'journal.sqlite', 'journal.sqlite-wal', 'journal.sqlite-shm'];

/**
 * Takes STATE_DIR for this process. The directory (0700) and the files in it (0600) are for the owner alone.
 *
 * @param waitMs how long to wait until another process leaves, in milliseconds
 * @param onNotice told what an operator should know: `journal.shared`, `journal.waiting`
 * @returns gives STATE_DIR back
 * @throws StateDirInUse when another process still has it; whatever the file system or SQLite throw
 */
export function takeStateDir(
  stateDir: string,
  waitMs: number,
  onNotice: (event: string, message: string) => void,
): () => void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const shared = FILES.filter((name) => !isPrivate(join(stateDir, name)));
  if (shared.length > 0) {
    onNotice(
      'journal.shared',
      `Files in STATE_DIR (${stateDir}) belong to another user and keep their mode, so that others may be able to ` +
        `read them: ${shared.join(', ')}.`,
    );
  }
  return lockStateDir(stateDir, waitMs, ({ message }) =>
    onNotice(
      'journal.waiting',
      `${message} The runtime waits for it up to ${waitMs / 1_000} s (STATE_LOCK_WAIT).`,
    ),
  );
}

/**
 * Makes an existing file private.
 *
 * @returns false when it belongs to another user
 * @throws the file system's error when this user may not read and write it
 */
function isPrivate(path: string): boolean {
  if (!existsSync(path)) return true;
  accessSync(path, constants.R_OK | constants.W_OK);
  try {
    chmodSync(path, 0o600);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EPERM') return false;
    throw error;
  }
}

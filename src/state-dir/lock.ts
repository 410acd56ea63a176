import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { StateDirInUse } from './errors.ts';
import { SQLITE, openDatabase, resultCode } from './sqlite.ts';

/** SQLite closes a database that nobody refers to any more, and the lock with it: those in force are kept here. */
const inForce = new Set<DatabaseSync>();

/**
 * Takes STATE_DIR for this process. The lock is the kernel's, held by an open transaction on an empty database: it is
 * free the moment its owner dies, however it dies. The pid stands beside it, for the message alone.
 *
 * @param waitMs how long to wait for the owner to leave; the whole process waits
 * @param onWait told who has it, before the wait
 * @returns gives the lock back
 * @throws StateDirInUse when another journal still has it, in this process or another
 */
export function lockStateDir(
  stateDir: string,
  waitMs = 0,
  onWait: (owner: StateDirInUse) => void = () => undefined,
): () => void {
  const pidFile = join(stateDir, 'journal.pid');
  const path = join(stateDir, 'journal.lock');
  const lock = openDatabase(path);
  try {
    try {
      takeLock(lock, path);
    } catch (error) {
      if (resultCode(error) !== SQLITE.busy || waitMs === 0) throw error;
      onWait(new StateDirInUse(stateDir, readPid(pidFile)));
      lock.exec(`PRAGMA busy_timeout = ${waitMs}`);
      takeLock(lock, path);
    }
    // Another user's file could not be written over.
    rmSync(pidFile, { force: true });
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    lock.close();
    throw resultCode(error) === SQLITE.busy ? new StateDirInUse(stateDir, readPid(pidFile)) : error;
  }
  inForce.add(lock);
  return () => {
    inForce.delete(lock);
    rmSync(pidFile, { force: true });
    lock.close();
  };
}

function takeLock(lock: DatabaseSync, path: string): void {
  // In memory, because nothing is ever written and a rollback file would only be left behind.
  const take = (): void => lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  try {
    take();
  } catch (error) {
    if (resultCode(error) !== SQLITE.notADatabase) throw error;
    // The file holds something else. It could be read, so nobody has the lock: an owner would have prevented that.
    truncateSync(path);
    take();
  }
}

function readPid(pidFile: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
    return Number.isNaN(pid) ? null : pid;
  } catch {
    return null; // The other one has not written it yet, or is just closing.
  }
}

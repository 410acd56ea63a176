import { accessSync, chmodSync, closeSync, constants, existsSync, openSync } from 'node:fs';
import type { DatabaseSync, DatabaseSyncOptions } from 'node:sqlite';
import { Fault } from '../../machines/shared/fault.ts';

/** An import of node:sqlite would stop an older Node before anything could be said. */
const builtinSqlite = (): typeof import('node:sqlite') | undefined => process.getBuiltinModule('node:sqlite');

/** @throws Fault (journalUnavailable) when this Node has no SQLite; whatever SQLite throws */
export function openFile(path: string, options: DatabaseSyncOptions = {}): DatabaseSync {
  const sqlite = builtinSqlite();
  if (sqlite === undefined) {
    throw new Fault(
      'journalUnavailable',
      `Node ${process.version} has no SQLite, which the journal needs: use Node 24 or later.`,
    );
  }
  return new sqlite.DatabaseSync(path, options);
}

/**
 * Makes database files that are not there, for the owner alone: SQLite would use the umask. Those that are there are
 * not opened, since closing them would drop the locks that this process has on them (POSIX).
 *
 * @returns the files that belong to another user, whose mode stays as it is
 * @throws the file system's error for a file that may not be read and written
 */
export function makePrivate(databases: readonly string[]): string[] {
  for (const path of databases) {
    if (!existsSync(path)) closeSync(openSync(path, 'wx', 0o600));
  }
  const files = databases.flatMap((path) => [path, `${path}-wal`, `${path}-shm`]).filter(existsSync);
  return files.filter((path) => {
    accessSync(path, constants.R_OK | constants.W_OK);
    try {
      chmodSync(path, 0o600);
      return false;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EPERM') return true;
      throw error;
    }
  });
}

/** SQLite's primary result code (sqlite.org/rescode.html), null for what SQLite did not throw. */
export function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}

export const SQLITE = { error: 1, busy: 5, corrupt: 11, full: 13, notADatabase: 26 } as const;

import { chmodSync, closeSync, openSync } from 'node:fs';
import type { DatabaseSync, DatabaseSyncOptions } from 'node:sqlite';
import { JournalUnavailable } from './errors.ts';

/** An import of node:sqlite would stop an older Node before anything could be said. */
function builtinSqlite(): typeof import('node:sqlite') | undefined {
  return process.getBuiltinModule('node:sqlite');
}

/**
 * Opens a database file that only its owner may read; it is made when it is not there.
 * @throws JournalUnavailable when this Node has no SQLite; whatever the file system or SQLite throw
 */
export function openFile(path: string, options: DatabaseSyncOptions = {}): DatabaseSync {
  const sqlite = builtinSqlite();
  if (sqlite === undefined) {
    throw new JournalUnavailable(
      `Node ${process.version} has no SQLite, which the journal needs: use Node 24 or later.`,
    );
  }
  makePrivate(path);
  return new sqlite.DatabaseSync(path, options);
}

/**
 * SQLite would use the umask; its side files follow the mode of the main file. A file that is there is not opened:
 * closing it would drop the locks that this process has on it (POSIX).
 */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    chmodSync(path, 0o600);
  }
}

/** SQLite's primary result code (sqlite.org/rescode.html), null for what SQLite did not throw. */
export function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}

export const SQLITE_ERROR = 1;
export const SQLITE_BUSY = 5;
export const SQLITE_CORRUPT = 11;
export const SQLITE_NOTADB = 26;

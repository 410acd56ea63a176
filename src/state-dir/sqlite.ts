import { closeSync, existsSync, openSync } from 'node:fs';
import type { DatabaseSync, DatabaseSyncOptions } from 'node:sqlite';
import { Fault } from '../../machines/shared/fault.ts';

/** SQLite's primary result codes (sqlite.org/rescode.html). */
export const SQLITE = { error: 1, busy: 5, corrupt: 11, full: 13, notADatabase: 26 } as const;

/** @returns the primary result code of what SQLite threw, null for any other error */
export function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}

/**
 * Opens a database of STATE_DIR. If the file is missing, it is made for the owner alone.
 *
 * @throws Fault (journalUnavailable) when this Node has no SQLite; whatever the file system or SQLite throw
 */
export function openDatabase(path: string, options: DatabaseSyncOptions = {}): DatabaseSync {
  // An import of node:sqlite would stop an older Node before anything could be said.
  const sqlite = process.getBuiltinModule('node:sqlite') as typeof import('node:sqlite') | undefined;
  if (sqlite === undefined) {
    throw new Fault(
      'journalUnavailable',
      `Node ${process.version} has no SQLite, which the journal needs: use Node 24 or later.`,
    );
  }
  // SQLite would use the umask. A file that exists is not opened here: closing it would drop this process's locks on it.
  if (!existsSync(path)) closeSync(openSync(path, 'wx', 0o600));
  return new sqlite.DatabaseSync(path, options);
}

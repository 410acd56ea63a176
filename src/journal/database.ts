import { existsSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { JournalUnavailable } from './errors.ts';
import { SQLITE_CORRUPT, SQLITE_ERROR, SQLITE_NOTADB, openFile, resultCode } from './sqlite.ts';

/**
 * Each takes the tables from one format to the next; the first makes them. Without a rowid a row is in one tree, not
 * two, which halves what is written; files from before have one, and work the same.
 */
const MIGRATIONS = [
  `
  CREATE TABLE notification (
    id TEXT PRIMARY KEY,
    attempts INTEGER NOT NULL DEFAULT 0,
    posts INTEGER NOT NULL DEFAULT 0,
    reply_text TEXT,
    reply_tool_calls INTEGER,
    reply_message_id TEXT,
    reply_created_at REAL,
    answered_message_id TEXT,
    answered_created_at REAL,
    touched_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE upgrade_exit (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    target_openclaw_version TEXT NOT NULL,
    target_runtime_version TEXT NOT NULL,
    initiated_at REAL NOT NULL,
    from_openclaw_version TEXT NOT NULL,
    from_runtime_version TEXT NOT NULL
  ) STRICT;`,
  `
  ALTER TABLE notification ADD COLUMN begun_boot TEXT;
  ALTER TABLE notification ADD COLUMN begun_ms REAL;
  ALTER TABLE notification ADD COLUMN begun_after TEXT;`,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/** Another program (a backup, a person with a shell) may hold the file for a moment, in milliseconds. */
const BUSY_TIMEOUT_MS = 1000;

/** quick_check found something, or the tables are not ours. */
class Damaged extends Error {}

/**
 * Opens the journal's database. A file that is damaged is set aside with its side files and a new one is begun: what
 * it held is lost, but the runtime works.
 *
 * @param prepare makes the statements; they do not compile when the tables are not ours
 * @param onSetAside told the path that the damaged file has now
 * @throws JournalUnavailable when a newer runtime wrote the file; whatever the file system or SQLite throw
 */
export function openDatabase<T>(
  path: string,
  prepare: (database: DatabaseSync) => T,
  onSetAside: (aside: string) => void,
): { database: DatabaseSync; prepared: T } {
  try {
    return openSound(path, prepare);
  } catch (error) {
    if (!isDamage(error)) throw error;
    onSetAside(setAside(path));
    return openSound(path, prepare);
  }
}

function openSound<T>(path: string, prepare: (database: DatabaseSync) => T) {
  const database = openFile(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    // The log alone survives a SIGKILL at any setting. FULL would also sync it at each commit, for a power cut, and
    // stop the whole process for a few milliseconds each time: `syncLog` does that where it is asked for.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    assertSound(database);
    migrate(database, path);
    return { database, prepared: prepare(database) };
  } catch (error) {
    database.close();
    throw error;
  }
}

function assertSound(database: DatabaseSync): void {
  const found = database.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (found !== 'ok') throw new Damaged(String(found));
}

function migrate(database: DatabaseSync, path: string): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  if (version > SCHEMA_VERSION) {
    throw new JournalUnavailable(
      `The journal in STATE_DIR (${dirname(path)}) was written by a newer runtime (format ${version}, this one knows ` +
        `${SCHEMA_VERSION}): start that one, or move journal.sqlite away and lose what it holds.`,
    );
  }
  if (version === SCHEMA_VERSION) return;
  database.exec(
    `BEGIN; ${MIGRATIONS.slice(version).join('')} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`,
  );
}

function isDamage(error: unknown): boolean {
  if (error instanceof Damaged) return true;
  const code = resultCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB || code === SQLITE_ERROR;
}

/** SQLite mostly takes its side files away as it closes; a log that stayed would be applied to the new file. */
function setAside(path: string): string {
  const aside = `${path}.corrupt-${new Date().toISOString().replaceAll(':', '-')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  return aside;
}

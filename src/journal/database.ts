import { existsSync, renameSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Fault } from '../../machines/shared/fault.ts';
import { SQLITE, openFile, resultCode } from './sqlite.ts';
import { carryOver } from './version-1.ts';

/** 1 and 2 were version 1 of the runtime. */
export const FORMAT = 3;

/** Another program (a backup, a person with a shell) may hold the file for a moment, in milliseconds. */
export const BUSY_TIMEOUT_MS = 1_000;

/** quick_check found something. */
class Damaged extends Error {}

/**
 * Opens the database of a store. A damaged file is set aside with its side files and a new one is begun: what it held
 * is lost, but the runtime works.
 *
 * @param onDamage told a sentence for an operator
 * @throws Fault (journalUnavailable) when a newer runtime wrote the file; whatever the file system or SQLite throw
 */
export function openDatabase(path: string, onDamage: (message: string) => void): DatabaseSync {
  try {
    return open(path);
  } catch (error) {
    if (!(error instanceof Damaged) && !DAMAGES.has(resultCode(error))) throw error;
    const aside = setAside(path);
    onDamage(
      `The journal in STATE_DIR (${dirname(path)}) is damaged and now stands aside as ${basename(aside)}: attempts ` +
        'are counted anew, replies that were not posted yet are lost.',
    );
    return open(path);
  }
}

const DAMAGES: ReadonlySet<number | null> = new Set([SQLITE.error, SQLITE.corrupt, SQLITE.notADatabase]);

function open(path: string): DatabaseSync {
  const database = openFile(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    // The log alone survives a SIGKILL at any setting. FULL would also sync it at each commit, for a power cut, and
    // stop the whole process for a few milliseconds each time: `synced` does that where it is asked for.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY');
    const found = database.prepare('PRAGMA quick_check(1)').get()?.quick_check;
    if (found !== 'ok') throw new Damaged(String(found));
    migrate(database, path);
    database.prepare('SELECT key, value, touched_at FROM entry');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Without a rowid an entry is in one tree, not two, which halves what is written. */
const TABLE = `
  CREATE TABLE entry (key TEXT PRIMARY KEY, value TEXT NOT NULL, touched_at INTEGER NOT NULL)
  STRICT, WITHOUT ROWID`;

/** Writes in any case, so that a full disk is noticed. What fails in between is rolled back as the database closes. */
function migrate(database: DatabaseSync, path: string): void {
  const format = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  if (format > FORMAT) {
    throw new Fault(
      'journalUnavailable',
      `The journal in STATE_DIR (${dirname(path)}) was written by a newer runtime (format ${format}, this one knows ` +
        `${FORMAT}): start that one, or move journal.sqlite away and lose what it holds.`,
    );
  }
  database.exec('BEGIN');
  if (format < FORMAT) database.exec(TABLE);
  if (format === 1 || format === 2) carryOver(database);
  database.exec(`PRAGMA user_version = ${FORMAT}; COMMIT`);
}

/** SQLite mostly takes its side files away as it closes; a log that stayed would be applied to the new file. */
function setAside(path: string): string {
  const aside = `${path}.corrupt-${new Date().toISOString().replaceAll(':', '-')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  return aside;
}

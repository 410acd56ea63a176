import { closeSync, existsSync, fdatasync, openSync, renameSync, statfsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { Fault } from '../../machines/shared/fault.ts';
import { openDatabase, resultCode, SQLITE } from '../state-dir/sqlite.ts';
import { createGroupSync } from './group-sync.ts';
import { carryOver } from './version-1.ts';

/** 1 and 2 were version 1 of the runtime. */
const FORMAT = 3;

/** Without a rowid an entry is in one tree, not two, which halves what is written. */
const TABLE = `
  CREATE TABLE entry (key TEXT PRIMARY KEY, value TEXT NOT NULL, touched_at INTEGER NOT NULL)
  STRICT, WITHOUT ROWID`;

/** Another program (a backup, a person with a shell) may hold the file for a moment, in milliseconds. */
const BUSY_TIMEOUT_MS = 1_000;

/** An entry is not removed by its key when another runtime finished its notification, so old entries are removed by age. */
const MAX_AGE_MS = 35 * 24 * 3_600_000;

/** Pages of 4 KB after which the log is folded into the file, which stops the process for some milliseconds. */
const LOG_PAGES = { least: 32, most: 1_000 };

const DAMAGES: ReadonlySet<number | null> = new Set([SQLITE.error, SQLITE.corrupt, SQLITE.notADatabase]);

/** SQLite's own check of the file found something. */
class Damaged extends Error {}

export type Disk = ReturnType<typeof openFile>;

/**
 * Opens `journal.sqlite` in STATE_DIR: texts by their keys. A damaged file is set aside and a new one is begun. Its
 * entries are lost, but the runtime works.
 *
 * @param now in milliseconds since the epoch
 * @param onNotice told what an operator should know: `journal.damaged`
 * @throws Fault (journalUnavailable) when a newer runtime wrote the file; whatever the file system or SQLite throw, as
 *   all methods do
 */
export function openDisk(
  stateDir: string,
  now: () => number,
  onNotice: (event: string, message: string) => void,
): Disk {
  try {
    return openFile(stateDir, now);
  } catch (error) {
    if (!(error instanceof Damaged) && !DAMAGES.has(resultCode(error))) throw error;
    const aside = setAside(join(stateDir, 'journal.sqlite'));
    onNotice(
      'journal.damaged',
      `The journal in STATE_DIR (${stateDir}) is damaged and now stands aside as ${aside}: attempts are counted ` +
        'anew, replies that were not posted yet are lost.',
    );
    return openFile(stateDir, now);
  }
}

/**
 * Renames the file with its side files. SQLite mostly removes those as it closes, but a log that stayed would be applied
 * to the new file. @returns the new name of the file
 */
function setAside(path: string): string {
  const aside = `${path}.corrupt-${new Date().toISOString().replaceAll(':', '-')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  return basename(aside);
}

function openFile(stateDir: string, now: () => number) {
  const database = openDatabase(join(stateDir, 'journal.sqlite'), { timeout: BUSY_TIMEOUT_MS });
  try {
    prepare(database, stateDir);
    return accessTo(database, stateDir, now);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Writes in any case, so that a full disk is noticed. What fails in between is rolled back as the database closes. */
function prepare(database: DatabaseSync, stateDir: string): void {
  // The log alone survives a SIGKILL at any setting. FULL would also sync it at each commit, for a power cut, and
  // stop the whole process for a few milliseconds each time: `synced` does that where it is asked for.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY');
  const found = database.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (found !== 'ok') throw new Damaged(String(found));
  const format = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  if (format > FORMAT) {
    throw new Fault(
      'journalUnavailable',
      `The journal in STATE_DIR (${stateDir}) was written by a newer runtime (format ${format}, this one knows ` +
        `${FORMAT}): start that one, or move journal.sqlite away and lose what it holds.`,
    );
  }
  database.exec('BEGIN');
  if (format < FORMAT) database.exec(TABLE);
  if (format === 1 || format === 2) carryOver(database, format);
  database.exec(`PRAGMA user_version = ${FORMAT}; COMMIT`);
}

function accessTo(database: DatabaseSync, stateDir: string, now: () => number) {
  const upsert = database.prepare(`
    INSERT INTO entry (key, value, touched_at) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, touched_at = excluded.touched_at`);
  const remove = database.prepare('DELETE FROM entry WHERE key IN (SELECT value FROM json_each(?))');
  const removeOld = database.prepare('DELETE FROM entry WHERE touched_at < ? RETURNING key');
  const select = database.prepare('SELECT key, value FROM entry');
  const freePages = database.prepare('PRAGMA freelist_count');
  const syncLog = promisify(fdatasync);
  // The log file exists as long as the database is open.
  const log = openSync(join(stateDir, 'journal.sqlite-wal'), 'r+');
  limitLog();

  /** Lets the log take a third of the free space, so that it does not fill a small disk. */
  function limitLog(): void {
    const { bavail, bsize } = statfsSync(stateDir);
    const third = Math.floor((bavail * bsize) / 4_096 / 3);
    const pages = Math.min(LOG_PAGES.most, Math.max(LOG_PAGES.least, third));
    database.exec(`PRAGMA wal_autocheckpoint = ${pages}; PRAGMA journal_size_limit = ${pages * 4_096}`);
  }

  /** Folds the log into the file and empties it. If another process reads the file, that is skipped without waiting. */
  function fold(): void {
    database.exec('PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)');
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    limitLog();
  }

  return {
    entries: () => select.all().map(({ key, value }) => [String(key), String(value)] as const),
    /** When it returns, the text outlives the process. */
    write(key: string, text: string): void {
      try {
        upsert.run(key, text, now());
      } catch (error) {
        if (resultCode(error) !== SQLITE.full) throw error;
        // The log itself may have filled the disk.
        fold();
        upsert.run(key, text, now());
      }
    },
    remove: (keys: readonly string[]) => void remove.run(JSON.stringify(keys)),
    /** Settles when what was written outlives a power cut. */
    synced: createGroupSync(() => syncLog(log)),
    /** Fails unless the file takes what is written. SQLite writes the header's page although the number stays. */
    check: () => database.exec(`PRAGMA user_version = ${FORMAT}`),
    /** For quiet moments: removes old entries and gives space back. @returns the keys that were removed */
    tidy(): string[] {
      const old = removeOld.all(now() - MAX_AGE_MS).map(({ key }) => String(key));
      if (Number(freePages.get()?.freelist_count) > 4) database.exec('VACUUM');
      fold();
      return old;
    },
    close(): void {
      closeSync(log);
      database.close();
    },
  };
}

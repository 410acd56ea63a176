import { closeSync, fdatasync, mkdirSync, openSync, statfsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { BUSY_TIMEOUT_MS, FORMAT, openDatabase } from './database.ts';
import { createGroupSync } from './group-sync.ts';
import { lockStateDir } from './lock.ts';
import { SQLITE, makePrivate, resultCode } from './sqlite.ts';

export interface DiskOptions {
  stateDir: string;
  /** How long to wait until another process leaves STATE_DIR, in milliseconds. */
  lockWaitMs: number;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Told what an operator should know: `journal.damaged`, `journal.shared`, `journal.waiting`. */
  onNotice: (event: string, message: string) => void;
}

export type Disk = ReturnType<typeof openDisk>;

/** Entries of notifications that somebody else brought to their end are never removed by name. */
const MAX_AGE_MS = 35 * 24 * 3_600_000;

/** Pages of 4 KB after which the log is folded into the file, which stops the process for some milliseconds. */
const LOG_PAGES = { least: 32, most: 1_000 };

/**
 * Takes STATE_DIR and opens `journal.sqlite` in it: texts by their keys. The directory (0700) and the files (0600) are
 * made for the owner alone.
 *
 * @throws JournalLocked when another runtime has STATE_DIR; whatever the file system or SQLite throw, as all methods do
 */
export function openDisk({ stateDir, lockWaitMs, now, onNotice }: DiskOptions) {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const path = join(stateDir, 'journal.sqlite');
  const shared = makePrivate([join(stateDir, 'journal.lock'), path]).map((file) => basename(file));
  if (shared.length > 0) {
    onNotice(
      'journal.shared',
      `Files in STATE_DIR (${stateDir}) belong to another user and keep their mode, so that others may be able to ` +
        `read them: ${shared.join(', ')}.`,
    );
  }
  const unlock = lockStateDir(stateDir, lockWaitMs, ({ message }) =>
    onNotice('journal.waiting', `${message} Waits for that up to ${lockWaitMs / 1_000} s (STATE_LOCK_WAIT).`),
  );
  try {
    const database = openDatabase(path, (message) => onNotice('journal.damaged', message));
    return accessTo(database, path, now, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

function accessTo(database: DatabaseSync, path: string, now: () => number, unlock: () => void) {
  const upsert = database.prepare(`
    INSERT INTO entry (key, value, touched_at) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, touched_at = excluded.touched_at`);
  const remove = database.prepare('DELETE FROM entry WHERE key IN (SELECT value FROM json_each(?))');
  const removeOld = database.prepare('DELETE FROM entry WHERE touched_at < ? RETURNING key');
  const select = database.prepare('SELECT key, value FROM entry');
  const freePages = database.prepare('PRAGMA freelist_count');
  const syncLog = promisify(fdatasync);
  // It is there as long as the database is open.
  const log = openSync(`${path}-wal`, 'r+');
  limitLog(database, path);

  /** Brings the log into the file and cuts it. A reader elsewhere keeps it from that, and is not waited for. */
  function fold(): void {
    database.exec('PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)');
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    limitLog(database, path);
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
    /** For quiet moments: forgets what is old, and gives space back. @returns the keys that are forgotten */
    tidy(): string[] {
      const old = removeOld.all(now() - MAX_AGE_MS).map(({ key }) => String(key));
      if (Number(freePages.get()?.freelist_count) > 4) database.exec('VACUUM');
      fold();
      return old;
    },
    close(): void {
      closeSync(log);
      database.close();
      unlock();
    },
  };
}

/** Lets the log take a third of the free space, so that it does not fill a small disk. */
function limitLog(database: DatabaseSync, path: string): void {
  const { bavail, bsize } = statfsSync(dirname(path));
  const third = Math.floor((bavail * bsize) / 4_096 / 3);
  const pages = Math.min(LOG_PAGES.most, Math.max(LOG_PAGES.least, third));
  database.exec(`PRAGMA wal_autocheckpoint = ${pages}; PRAGMA journal_size_limit = ${pages * 4_096}`);
}

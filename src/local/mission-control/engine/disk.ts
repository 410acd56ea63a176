import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { HttpProblem } from '../problem.ts';

/** 'MCRT' as a number: marks the file as ours. */
const APPLICATION_ID = 0x4d435254;
const FORMAT = 1;

/**
 * Pages that were written (16 MB) until SQLite copies them into the file itself. That takes some 5 ms. A message writes
 * about 35 pages, so with SQLite's own 1,000 one message in 30 would wait for it.
 */
const PAGES_PER_CHECKPOINT = 4_000;

const TABLES = `
  CREATE TABLE tables (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, validator TEXT);
  CREATE TABLE indexes (
    number INTEGER PRIMARY KEY, tbl INTEGER NOT NULL, name TEXT NOT NULL, fields TEXT NOT NULL, UNIQUE (tbl, name, fields)
  );
  CREATE TABLE documents (number INTEGER PRIMARY KEY, tbl INTEGER NOT NULL, text TEXT NOT NULL);
  CREATE TABLE entries (
    idx INTEGER NOT NULL, key BLOB NOT NULL, document INTEGER NOT NULL, PRIMARY KEY (idx, key)
  ) WITHOUT ROWID;
  CREATE TABLE answers (
    session TEXT NOT NULL, request INTEGER NOT NULL, at INTEGER NOT NULL, answer TEXT NOT NULL,
    PRIMARY KEY (session, request)
  ) WITHOUT ROWID;
  CREATE TABLE crons (name TEXT PRIMARY KEY, due INTEGER NOT NULL) WITHOUT ROWID;
`;

/**
 * Opens the database file, or begins it. A commit survives the end of the process, however it ends. A crash of the
 * machine may lose the commits of the last moments, and never older ones.
 * @param path a file, or `:memory:`
 * @throws Error with one sentence when it cannot be used
 */
export function openFile(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    // For its owner only; SQLite gives the files beside it the same rights.
    if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600));
    database = new DatabaseSync(path);
    // The lock is kept: a second process that opens the file is refused.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 0; PRAGMA cache_size = -16000');
    database.exec(`PRAGMA wal_autocheckpoint = ${PAGES_PER_CHECKPOINT}`);
    const application = pragma(database, 'application_id');
    const format = pragma(database, 'user_version');
    const isEmpty = database.prepare('SELECT 1 FROM sqlite_schema').get() === undefined;
    if (!isEmpty && application !== APPLICATION_ID) throw new Error('it is a database of something else');
    if (format > FORMAT) throw new Error(`a newer version wrote it (format ${format}, known is ${FORMAT})`);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE');
    if (isEmpty) {
      database.exec(TABLES);
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT}`);
    }
    database.exec('COMMIT');
    return database;
  } catch (error) {
    if (database?.isOpen) database.close();
    throw new Error(`The database ${path} cannot be used: ${reasonOf(error)}.`, { cause: error });
  }
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}

const REASONS = new Map<number, string>([
  [5, 'another process has it open; stop that one first'],
  [8, 'it is read-only'],
  [10, 'the disk reports an error'],
  [11, 'it is damaged; restore a backup (npm run local -- restore FILE)'],
  [13, 'the disk is full; make room on it'],
  [14, 'the file cannot be opened; see whether its directory is there and writable'],
  [26, 'it is not a database; move it away, or restore a backup (npm run local -- restore FILE)'],
]);

function reasonOf(error: unknown): string {
  return REASONS.get(codeOf(error) ?? 0) ?? (error instanceof Error ? error.message : String(error));
}

function codeOf(error: unknown): number | null {
  if (!(error instanceof Error && 'errcode' in error)) return null;
  // The low byte is SQLite's primary code.
  return typeof error.errcode === 'number' ? error.errcode & 0xff : null;
}

/** What the caller of a function is told when the disk fails its work; null for an error of another kind. */
export function diskProblem(error: unknown): HttpProblem | null {
  const code = codeOf(error);
  if (code === null) return null;
  const name = code === 13 ? 'DiskFull' : 'DatabaseUnavailable';
  const message = `Mission Control cannot write: ${reasonOf(error)}. Nothing of this call was kept; reading goes on.`;
  return new HttpProblem(503, name, message, { cause: error });
}

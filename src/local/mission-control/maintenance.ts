/** Backup, restore, export and reset of a data directory, whether Mission Control is running on it or not. */
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { databaseIn, prepareDataDir, readIfThere } from './data-dir.ts';
import { openFile } from './engine/disk.ts';
import { readSchema, type TableSchema } from './engine/schema.ts';
import { openStore, type Store } from './engine/store.ts';
import { loadModules } from './modules.ts';
import { exportZip, importZip, snapshotFile } from './transfer.ts';

export interface Place {
  dataDir: string;
  /** Where Mission Control listens if it runs on this directory. */
  url: string;
}

const COPIES = { backup: snapshotFile, export: exportZip };

/**
 * Writes all data into a file: a copy of the database, or the ZIP that `npx convex import` takes.
 * @throws Error with one sentence when that cannot be done; an older file of that name is then as it was
 */
export async function writeCopy(kind: keyof typeof COPIES, place: Place, file: string): Promise<void> {
  const bytes = (await fromRunning(kind, place)) ?? (await fromFile(place, COPIES[kind]));
  try {
    writeFileSync(`${file}.new`, bytes, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch (error) {
    rmSync(`${file}.new`, { force: true });
    throw new Error(
      `${file} cannot be written (${codeOf(error)}): name a file in a directory that is there.`,
      {
        cause: error,
      },
    );
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

function readGiven(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`${file} cannot be read (${codeOf(error)}): name a backup or an export.`, {
      cause: error,
    });
  }
}

/** @returns null when nothing is running there */
async function fromRunning(kind: string, { dataDir, url }: Place): Promise<Uint8Array | null> {
  const key = readIfThere(join(dataDir, 'admin-key'));
  const headers = { Authorization: `Convex ${key ?? 'none'}` };
  const response = await fetch(`${url}/api/local/${kind}`, { headers }).catch(() => null);
  if (response === null) return null;
  if (response.ok) return new Uint8Array(await response.arrayBuffer());
  // What runs there is not on this directory.
  if (response.status === 401 || response.status === 404) return null;
  throw new Error(`Mission Control at ${url} refuses: ${await response.text()}`);
}

async function fromFile({ dataDir }: Place, copy: (store: Store) => Uint8Array): Promise<Uint8Array> {
  const path = databaseIn(dataDir);
  if (!existsSync(path)) throw new Error(`There are no data in ${dataDir}: nothing was started there yet.`);
  const store = openStore(path, await currentSchema());
  try {
    return copy(store);
  } finally {
    store.database.close();
  }
}

/**
 * Puts the data of a backup or of an export in place. What was there is kept beside it.
 * @returns where the earlier data are now; null when there were none
 * @throws Error with one sentence when the file is neither, does not fit the schema, or Mission Control is running;
 * then nothing was changed
 */
export async function restore({ dataDir }: Place, file: string): Promise<string | null> {
  const bytes = readGiven(file);
  prepareDataDir(dataDir);
  const path = databaseIn(dataDir);
  requireStopped(path);
  const next = `${path}.restoring`;
  removeDatabase(next);
  try {
    await makeDatabase(next, file, bytes);
  } catch (error) {
    removeDatabase(next);
    throw error;
  }
  const earlier = existsSync(path) ? `${path}.before-${new Date().toISOString().replaceAll(':', '-')}` : null;
  if (earlier !== null) renameSync(path, earlier);
  removeDatabase(path);
  renameSync(next, path);
  return earlier;
}

async function makeDatabase(path: string, file: string, bytes: Buffer): Promise<void> {
  const schema = await currentSchema();
  if (bytes.subarray(0, 2).toString('latin1') === 'PK') importZip(path, bytes, schema);
  else if (bytes.subarray(0, 15).toString('latin1') === 'SQLite format 3') {
    writeFileSync(path, bytes, { mode: 0o600 });
    openStore(path, schema).database.close();
  } else throw new Error(`${file} is neither a backup nor an export of Mission Control.`);
}

/** Begins anew: the next start makes an empty account with another id. @throws Error when Mission Control is running */
export function reset({ dataDir }: Place): void {
  if (readIfThere(join(dataDir, 'admin-key')) === null) {
    throw new Error(`A reset needs the admin key, and ${join(dataDir, 'admin-key')} cannot be read.`);
  }
  requireStopped(databaseIn(dataDir));
  removeDatabase(databaseIn(dataDir));
}

/** @throws Error while Mission Control runs. No process can hold a damaged file. */
function requireStopped(path: string): void {
  if (!existsSync(path) || !isDatabase(path)) return;
  // Closing it brings the write-ahead log into the file.
  openFile(path).close();
}

function isDatabase(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(15);
    readSync(file, head, 0, head.length, 0);
    return head.toString('latin1') === 'SQLite format 3';
  } finally {
    closeSync(file);
  }
}

function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
}

async function currentSchema(): Promise<TableSchema[]> {
  return readSchema((await loadModules()).get('schema')?.['default']);
}

import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type DatabaseSyncOptions } from 'node:sqlite';
import * as v from 'valibot';
import type { JournalRow } from './evidence.ts';

const Rows = v.array(
  v.object({
    id: v.string(),
    attempts: v.number(),
    posts: v.number(),
    reply: v.nullable(v.string()),
  }),
);

const PREFIX = 'notification:';

const ENTRIES = `
  SELECT substr(key, ${PREFIX.length + 1}) AS id, value ->> 'attempts' AS attempts, value ->> 'posts' AS posts,
    value -> 'reply' ->> 'text' AS reply
  FROM entry WHERE key GLOB '${PREFIX}*'`;

/**
 * What the journal in STATE_DIR says after its process is gone. Read from a copy: opening the file itself would do
 * the recovery that the next runtime is to do.
 */
export function readJournal(stateDir: string): JournalRow[] {
  const copy = mkdtempSync(join(tmpdir(), 'chaos-journal-'));
  try {
    for (const name of ['journal.sqlite', 'journal.sqlite-wal']) {
      if (existsSync(join(stateDir, name))) copyFileSync(join(stateDir, name), join(copy, name));
    }
    return rowsOf(join(copy, 'journal.sqlite'));
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** How many notifications a process that is at work has in its journal. */
export const countLiveRows = (stateDir: string): number =>
  rowsOf(join(stateDir, 'journal.sqlite'), { readOnly: true }).length;

function rowsOf(path: string, options: DatabaseSyncOptions = {}): JournalRow[] {
  // A process that was killed as it started has not made it yet.
  if (!existsSync(path)) return [];
  const database = new DatabaseSync(path, options);
  try {
    const table = database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'entry'")
      .get();
    if (table === undefined) return [];
    return v.parse(Rows, database.prepare(ENTRIES).all());
  } finally {
    database.close();
  }
}

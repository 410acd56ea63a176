import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { JournalUnavailable } from './errors.ts';
import { openJournal } from './journal.ts';

let dir = '';
let file = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'journal-'));
  file = join(dir, 'journal.sqlite');
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

/** Opens, counts an attempt, closes; gives the attempts and what the operator was told. */
function countOnce() {
  const notices: { event: string; message: string }[] = [];
  const journal = openJournal(dir, { onNotice: (notice) => notices.push(notice) });
  const attempts = journal.beginAttempt('n1');
  journal.close();
  return { attempts, notices };
}

function failure(stateDir: string): Error {
  try {
    openJournal(stateDir).close();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('The journal opened.');
}

describe('a damaged file is set aside and a new one begun', () => {
  const damages: [string, () => void][] = [
    ['no database at all', () => writeFileSync(file, 'garbage '.repeat(200))],
    [
      'a page overwritten',
      () => {
        const bytes = readFileSync(file);
        writeFileSync(file, bytes.fill(0x5a, 4096));
      },
    ],
    ['cut short', () => writeFileSync(file, readFileSync(file).subarray(0, 5000))],
    [
      'tables that are not ours',
      () => {
        const database = new DatabaseSync(file);
        database.exec('DROP TABLE notification; CREATE TABLE notification (other TEXT)');
        database.close();
      },
    ],
  ];
  test.each(damages)('%s', (_name, damage) => {
    expect(countOnce()).toEqual({ attempts: 1, notices: [] });
    damage();
    const { attempts, notices } = countOnce();
    expect(attempts).toBe(1);
    const aside = readdirSync(dir).filter((name) => /^journal\.sqlite\.corrupt-\d{4}-/.test(name));
    expect(aside).toHaveLength(1);
    expect(notices).toHaveLength(1);
    expect(notices[0]?.event).toBe('journal.damaged');
    expect(notices[0]?.message).toContain(aside[0]);
    expect(notices[0]?.message).toContain(dir);
    expect(countOnce()).toEqual({ attempts: 2, notices: [] });
  });
});

test('an empty file, left by a start that was cut off, is simply begun', () => {
  writeFileSync(file, '');
  expect(countOnce()).toEqual({ attempts: 1, notices: [] });
});

test('a file of an older runtime is taken over with what it holds', () => {
  countOnce();
  const database = new DatabaseSync(file);
  for (const column of ['begun_boot', 'begun_ms', 'begun_after']) {
    database.exec(`ALTER TABLE notification DROP COLUMN ${column}`);
  }
  database.exec('PRAGMA user_version = 1');
  database.close();
  expect(countOnce()).toEqual({ attempts: 2, notices: [] });
});

test('a file of a newer runtime is left alone, with a sentence', () => {
  countOnce();
  const database = new DatabaseSync(file);
  database.exec('PRAGMA user_version = 99');
  database.close();
  const error = failure(dir);
  expect(error).toBeInstanceOf(JournalUnavailable);
  expect(error.message).toContain(`STATE_DIR (${dir}) was written by a newer runtime (format 99`);
  expect(existsSync(join(dir, 'journal.pid'))).toBe(false);
  expect(failure(dir).message).toBe(error.message);
});

describe('a STATE_DIR that cannot be used is named in one sentence', () => {
  test('a file is in the way', () => {
    writeFileSync(file, '');
    const error = failure(join(file, 'state'));
    expect(error).toBeInstanceOf(JournalUnavailable);
    expect(error.message).toMatch(
      /^The journal in STATE_DIR \(.*\/state\) cannot be used: ENOTDIR[^,]*\. STATE_DIR must/,
    );
  });

  test('a directory stands where the file should be', () => {
    mkdirSync(file);
    const error = failure(dir);
    expect(error).toBeInstanceOf(JournalUnavailable);
    expect(error.message).toContain(`STATE_DIR (${dir})`);
    expect(error.message).toContain('unable to open database file');
  });

  test.skipIf(process.getuid?.() === 0)('it is not writable', () => {
    const closed = join(dir, 'closed');
    mkdirSync(closed, { mode: 0o500 });
    expect(failure(closed).message).toContain('EACCES');
  });
});

test('a call that fails later is told in the same way', () => {
  const journal = openJournal(dir);
  const other = new DatabaseSync(file);
  other.exec('DROP TABLE notification');
  other.close();
  expect(() => journal.beginAttempt('n1')).toThrow(JournalUnavailable);
  expect(() => journal.beginAttempt('n1')).toThrow(
    `STATE_DIR (${dir}) cannot be used: no such table: notification.`,
  );
  journal.close();
});

test('a Node without SQLite gets a sentence', () => {
  const builtin = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined);
  try {
    const error = failure(dir);
    expect(error).toBeInstanceOf(JournalUnavailable);
    expect(error.message).toContain('use Node 24 or later');
  } finally {
    builtin.mockRestore();
  }
});

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Fault } from '../../machines/shared/fault.ts';
import { openTestStore } from '../../test/kits/store.ts';

let dir = '';
let file = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'journal-'));
  file = join(dir, 'journal.sqlite');
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

/** Opens, counts one up, closes; gives the count and what the operator was told. */
function countOnce() {
  const { store, notices } = openTestStore(dir);
  const count = Number(store.read('count') ?? 0) + 1;
  store.put('count', count);
  store.close();
  return { count, notices };
}

function failure(stateDir: string): Error {
  try {
    openTestStore(stateDir).store.close();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('The store opened.');
}

describe('a damaged file is set aside and a new one begun', () => {
  const damages: [string, () => void][] = [
    ['no database at all', () => writeFileSync(file, 'garbage '.repeat(200))],
    ['a page overwritten', () => writeFileSync(file, readFileSync(file).fill(0x5a, 4096))],
    ['cut short', () => writeFileSync(file, readFileSync(file).subarray(0, 5000))],
    [
      'a table that is not ours',
      () => {
        const database = new DatabaseSync(file);
        database.exec('DROP TABLE entry; CREATE TABLE entry (other TEXT)');
        database.close();
      },
    ],
  ];
  test.each(damages)('%s', (_name, damage) => {
    expect(countOnce()).toEqual({ count: 1, notices: [] });
    damage();
    const { count, notices } = countOnce();
    expect(count).toBe(1);
    const aside = readdirSync(dir).filter((name) => /^journal\.sqlite\.corrupt-\d{4}-/.test(name));
    expect(aside).toHaveLength(1);
    expect(notices).toHaveLength(1);
    expect(notices[0]?.event).toBe('journal.damaged');
    expect(notices[0]?.message).toContain(aside[0]);
    expect(notices[0]?.message).toContain(dir);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(countOnce()).toEqual({ count: 2, notices: [] });
  });
});

test('an empty file, left by a start that was cut off, is simply begun', () => {
  writeFileSync(file, '');
  expect(countOnce()).toEqual({ count: 1, notices: [] });
});

test('a file of a newer runtime is left alone, with a sentence', () => {
  countOnce();
  const database = new DatabaseSync(file);
  database.exec('PRAGMA user_version = 99');
  database.close();
  const error = failure(dir);
  expect(error).toBeInstanceOf(Fault);
  expect(error.message).toContain(`STATE_DIR (${dir}) was written by a newer runtime (format 99`);
  expect(existsSync(join(dir, 'journal.pid'))).toBe(false);
  expect(failure(dir).message).toBe(error.message);
});

describe('a STATE_DIR that cannot be used is named in one sentence', () => {
  test('a file is in the way', () => {
    writeFileSync(file, '');
    const error = failure(join(file, 'state'));
    expect(error).toMatchObject({ kind: 'journalUnavailable' });
    expect(error.message).toMatch(
      /^The journal in STATE_DIR \(.*\/state\) cannot be used: ENOTDIR[^,]*\. STATE_DIR must/,
    );
  });

  test('a directory stands where the file should be', () => {
    mkdirSync(file);
    const error = failure(dir);
    expect(error).toMatchObject({ kind: 'journalUnavailable' });
    expect(error.message).toContain(`STATE_DIR (${dir})`);
    expect(error.message).toContain('unable to open database file');
  });
});

test('a Node without SQLite gets a sentence', () => {
  const builtin = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined);
  try {
    const error = failure(dir);
    expect(error).toMatchObject({ kind: 'journalUnavailable' });
    expect(error.message).toContain('use Node 24 or later');
  } finally {
    builtin.mockRestore();
  }
});

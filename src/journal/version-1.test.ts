import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTestStore } from '../../test/kits/store.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'journal-'));
  copyFileSync(join(import.meta.dirname, 'samples/version-1.sqlite'), join(dir, 'journal.sqlite'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

/** When the sample was written; older entries are forgotten. */
const now = () => Date.UTC(2026, 10, 29);

/** What samples/README.md says was done to the journal of version 1. */
const KEPT = {
  'notification:begun': { attempts: 2, runs: 2, posts: 0, reply: null, answered: null, begun: null },
  'notification:replied': {
    attempts: 1,
    runs: 1,
    posts: 0,
    reply: {
      text: 'Done — “quoted”, 😀\nsecond line',
      toolCalls: 1,
      version: { messageId: 'm1', createdAt: 1764288000000.1233 },
    },
    answered: null,
    begun: null,
  },
  'notification:posted': {
    attempts: 0,
    runs: 0,
    posts: 1,
    reply: null,
    answered: { messageId: null, createdAt: 1000 },
    begun: null,
  },
  'notification:second': {
    attempts: 1,
    runs: 1,
    posts: 1,
    reply: { text: '', toolCalls: 0, version: { messageId: 'm3', createdAt: 3000 } },
    answered: { messageId: 'm2', createdAt: 2000 },
    begun: { at: { boot: 'b186d1e5-c4f5-402b-959c-276627963fd6', ms: 1183437.699831 }, after: 'm2' },
  },
  'notification:noted': {
    attempts: 0,
    runs: 0,
    posts: 0,
    reply: null,
    answered: null,
    begun: { at: { boot: 'b186d1e5-c4f5-402b-959c-276627963fd6', ms: 1183437.735073 }, after: null },
  },
  'upgrade-exit': {
    targetOpenclawVersion: '2026.9.1',
    targetRuntimeVersion: '2.0.0',
    initiatedAt: 1764288000000.5,
    fromOpenclawVersion: '2026.2.1',
    fromRuntimeVersion: '1.0.0',
  },
};

function openAndRead() {
  const { store, notices } = openTestStore(dir, { now });
  const values = Object.fromEntries(store.keys().map((key) => [key, store.read(key)]));
  return { store, notices, values };
}

test('a journal that version 1 wrote is carried over, once', () => {
  const first = openAndRead();
  expect(first.notices).toEqual([]);
  expect(first.values).toEqual(KEPT);
  first.store.remove('notification:begun');
  first.store.close();
  const second = openAndRead();
  expect({ ...second.values, 'notification:begun': KEPT['notification:begun'] }).toEqual(KEPT);
  expect(second.values).not.toHaveProperty('notification:begun');
  second.store.close();
});

test('so is one of its first files, which knew no begun posts', () => {
  const database = new DatabaseSync(join(dir, 'journal.sqlite'));
  for (const column of ['begun_boot', 'begun_ms', 'begun_after']) {
    database.exec(`ALTER TABLE notification DROP COLUMN ${column}`);
  }
  database.exec('PRAGMA user_version = 1');
  database.close();
  const { store, values } = openAndRead();
  expect(values).toEqual({
    ...KEPT,
    'notification:second': { ...KEPT['notification:second'], begun: null },
    'notification:noted': { ...KEPT['notification:noted'], begun: null },
  });
  store.close();
});

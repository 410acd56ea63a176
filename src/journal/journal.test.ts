import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { Journal, JournalEntry, RowVersion, UpgradeExit } from '../ports.ts';
import { JournalUnavailable } from './errors.ts';
import { openJournal } from './journal.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'journal-'));
  cleanups.push(() => rmSync(dir, { recursive: true }));
  return dir;
}

function open(dir: string, now?: () => number): Journal {
  const journal = openJournal(dir, now === undefined ? {} : { now });
  cleanups.push(() => journal.close());
  return journal;
}

const V1: RowVersion = { messageId: 'm1', createdAt: 1000.25 };
const V2: RowVersion = { messageId: null, createdAt: 2000 };
const EXIT: UpgradeExit = {
  targetOpenclawVersion: '2026.2.1',
  targetRuntimeVersion: '1.1.0',
  initiatedAt: 5,
  fromOpenclawVersion: '2026.1.1',
  fromRuntimeVersion: '1.0.0',
};

describe('a notification', () => {
  test('from the first attempt to the mark', () => {
    const journal = open(newDir());
    expect(journal.read('n1')).toBeNull();
    expect(journal.beginAttempt('n1')).toBe(1);
    expect(journal.beginAttempt('n1')).toBe(2);
    journal.refundAttempt('n1');
    expect(journal.beginAttempt('n1')).toBe(2);
    journal.saveReply('n1', { text: 'Done', toolCalls: 1 }, V1);
    expect(journal.read('n1')).toEqual({
      attempts: 2,
      posts: 0,
      reply: { text: 'Done', toolCalls: 1, version: V1 },
      answered: null,
    });
    journal.markPosted('n1', V1);
    // The attempts were for the message that is answered now.
    expect(journal.read('n1')).toEqual({ attempts: 0, posts: 1, reply: null, answered: V1 });
    journal.saveReply('n1', { text: '', toolCalls: 0 }, V2);
    expect(journal.read('n1')).toMatchObject({ reply: { text: '', version: V2 }, answered: V1 });
    journal.markPosted('n1', V2);
    expect(journal.read('n1')).toMatchObject({ posts: 2, reply: null, answered: V2 });
    journal.forget('n1');
    expect(journal.read('n1')).toBeNull();
  });

  test('an attempt that was never counted is not taken back', () => {
    const journal = open(newDir());
    journal.refundAttempt('n1');
    expect(journal.read('n1')).toBeNull();
  });

  test('a note is posted without an attempt', () => {
    const journal = open(newDir());
    journal.markPosted('n1', V2);
    expect(journal.read('n1')).toEqual({ attempts: 0, posts: 1, reply: null, answered: V2 });
  });

  test('that nobody touched for 30 days is gone at the next start', () => {
    const dir = newDir();
    const day = 24 * 3_600_000;
    const first = open(dir, () => 0);
    first.beginAttempt('old');
    first.saveUpgradeExit(EXIT);
    first.close();
    const second = open(dir, () => 5 * day);
    second.beginAttempt('young');
    second.close();
    const third = open(dir, () => 30 * day + 1);
    expect(third.read('old')).toBeNull();
    expect(third.read('young')).not.toBeNull();
    expect(third.readUpgradeExit()).toEqual(EXIT);
  });
});

test('the upgrade exit is one row that can be replaced and cleared', () => {
  const dir = newDir();
  const journal = open(dir);
  expect(journal.readUpgradeExit()).toBeNull();
  journal.saveUpgradeExit(EXIT);
  journal.saveUpgradeExit({ ...EXIT, initiatedAt: 6.5 });
  journal.close();
  const again = open(dir);
  expect(again.readUpgradeExit()).toEqual({ ...EXIT, initiatedAt: 6.5 });
  again.saveUpgradeExit(null);
  expect(again.readUpgradeExit()).toBeNull();
});

test('the directory and the files are for the owner alone', () => {
  const dir = join(newDir(), 'made', 'here');
  const journal = open(dir);
  journal.beginAttempt('n1');
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  const files = readdirSync(dir).sort();
  expect(files).toEqual([
    'journal.lock',
    'journal.pid',
    'journal.sqlite',
    'journal.sqlite-shm',
    'journal.sqlite-wal',
  ]);
  for (const file of files) expect([file, statSync(join(dir, file)).mode & 0o777]).toEqual([file, 0o600]);
});

test('closing twice is fine, using it afterwards is an error with a sentence', () => {
  const journal = open(newDir());
  journal.close();
  journal.close();
  expect(() => journal.beginAttempt('n1')).toThrow(JournalUnavailable);
});

type Op =
  | { do: 'begin'; id: string }
  | { do: 'refund'; id: string }
  | { do: 'forget'; id: string }
  | { do: 'reply'; id: string; text: string; version: RowVersion }
  | { do: 'posted'; id: string; version: RowVersion }
  | { do: 'reopen' }
  | { do: 'crash' };

const id = fc.constantFrom('n1', 'n2', 'n3');
const version = fc.record({
  messageId: fc.option(fc.string()),
  createdAt: fc.double({ noNaN: true, noDefaultInfinity: true }).map((time) => time + 0),
});
const ops: fc.Arbitrary<Op> = fc.oneof(
  { arbitrary: fc.record({ do: fc.constantFrom('begin', 'refund', 'forget'), id }), weight: 4 },
  {
    arbitrary: fc.record({ do: fc.constant('reply'), id, text: fc.string({ unit: 'binary' }), version }),
    weight: 2,
  },
  { arbitrary: fc.record({ do: fc.constant('posted'), id, version }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constantFrom('reopen', 'crash') }), weight: 1 },
);

/** What the journal must hold after an operation. */
function applyToModel(model: Map<string, JournalEntry>, op: Op): void {
  if (op.do === 'reopen' || op.do === 'crash') return;
  const entry = model.get(op.id) ?? { attempts: 0, posts: 0, reply: null, answered: null };
  if (op.do === 'forget') model.delete(op.id);
  else if (op.do === 'begin') model.set(op.id, { ...entry, attempts: entry.attempts + 1 });
  else if (op.do === 'reply') {
    model.set(op.id, { ...entry, reply: { text: op.text, toolCalls: 2, version: op.version } });
  } else if (op.do === 'posted') {
    model.set(op.id, { attempts: 0, posts: entry.posts + 1, reply: null, answered: op.version });
  } else if (model.has(op.id)) model.set(op.id, { ...entry, attempts: Math.max(0, entry.attempts - 1) });
}

function applyToJournal(journal: Journal, op: Op): void {
  if (op.do === 'begin') {
    const before = journal.read(op.id)?.attempts ?? 0;
    expect(journal.beginAttempt(op.id)).toBe(before + 1);
  } else if (op.do === 'refund') journal.refundAttempt(op.id);
  else if (op.do === 'forget') journal.forget(op.id);
  else if (op.do === 'reply') journal.saveReply(op.id, { text: op.text, toolCalls: 2 }, op.version);
  else if (op.do === 'posted') journal.markPosted(op.id, op.version);
}

/** What a process finds after the one before it was killed: the files as they stand, nothing closed. */
function copyAsAfterKill(dir: string): string {
  const copy = newDir();
  cpSync(dir, copy, { recursive: true });
  return copy;
}

test('holds what a map holds, whatever is done, over restarts and crashes', () => {
  fc.assert(
    fc.property(fc.array(ops, { maxLength: 25 }), (sequence) => {
      const model = new Map<string, JournalEntry>();
      let dir = newDir();
      let journal = open(dir);
      for (const op of sequence) {
        applyToModel(model, op);
        applyToJournal(journal, op);
        if (op.do === 'crash') dir = copyAsAfterKill(dir);
        if (op.do === 'crash' || op.do === 'reopen') {
          journal.close();
          journal = open(dir);
        }
        for (const key of ['n1', 'n2', 'n3']) expect(journal.read(key)).toEqual(model.get(key) ?? null);
        expect(journal.unfinished().sort()).toEqual([...model.keys()].sort());
      }
      journal.close();
    }),
    { numRuns: 40 },
  );
});

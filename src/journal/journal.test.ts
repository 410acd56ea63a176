import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { Journal, JournalEntry, RowVersion, UpgradeExit } from '../ports.ts';
import { JournalUnavailable } from './errors.ts';
import { openJournal } from './journal.ts';
import { thisMoment, type Moment } from './moment.ts';

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
const EMPTY: JournalEntry = { attempts: 0, posts: 0, reply: null, answered: null, begun: null };
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
      begun: null,
    });
    journal.markPosted('n1', V1);
    // The attempts were for the message that is answered now.
    expect(journal.read('n1')).toEqual({ ...EMPTY, posts: 1, answered: V1 });
    journal.saveReply('n1', { text: '', toolCalls: 0 }, V2);
    journal.beginPost('n1', 'm1');
    expect(journal.read('n1')).toMatchObject({
      reply: { text: '', version: V2 },
      answered: V1,
      begun: { after: 'm1' },
    });
    journal.markPosted('n1', V2);
    expect(journal.read('n1')).toEqual({ ...EMPTY, posts: 2, answered: V2 });
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
    expect(journal.read('n1')).toEqual({ ...EMPTY, posts: 1, answered: V2 });
  });

  test('is settled without a post: what the mark is for is known, and a kept reply stays until it is made', () => {
    const journal = open(newDir());
    journal.beginAttempt('n1');
    const reply = { text: 'HEARTBEAT_OK', toolCalls: 0 };
    journal.saveReply('n1', reply, V1);
    journal.markSettled('n1', V1);
    expect(journal.read('n1')).toEqual({
      ...EMPTY,
      attempts: 1,
      reply: { ...reply, version: V1 },
      answered: V1,
    });
  });

  test('a post that is begun can be measured from, also by the next process', () => {
    const dir = newDir();
    const journal = open(dir);
    const before = thisMoment();
    journal.beginPost('n1', null);
    journal.close();
    const begun = open(dir).read('n1')?.begun;
    expect(begun).toMatchObject({ after: null, at: { boot: before.boot } });
    expect(begun?.at.ms).toBeGreaterThanOrEqual(before.ms);
    // A reply that comes later has not been begun.
    const next = open(newDir());
    next.beginPost('n1', 'm1');
    next.saveReply('n1', { text: 'Done', toolCalls: 0 }, V1);
    expect(next.read('n1')?.begun).toBeNull();
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
  | { do: 'forget' | 'startOver'; id: string }
  | { do: 'reply'; id: string; text: string; version: RowVersion }
  | { do: 'posted' | 'settled'; id: string; version: RowVersion }
  | { do: 'beginPost'; id: string; after: string | null }
  | { do: 'reopen' }
  | { do: 'crash' };

/** Stands for whatever moment it was. */
const SOME_MOMENT: Moment = { boot: '', ms: 0 };

const withoutMoment = (entry: JournalEntry | null): JournalEntry | null =>
  entry && { ...entry, begun: entry.begun && { ...entry.begun, at: SOME_MOMENT } };

const id = fc.constantFrom('n1', 'n2', 'n3');
const version = fc.record({
  messageId: fc.option(fc.string()),
  createdAt: fc.double({ noNaN: true, noDefaultInfinity: true }).map((time) => time + 0),
});
const ops: fc.Arbitrary<Op> = fc.oneof(
  { arbitrary: fc.record({ do: fc.constantFrom('begin', 'refund', 'forget', 'startOver'), id }), weight: 4 },
  {
    arbitrary: fc.record({ do: fc.constant('reply'), id, text: fc.string({ unit: 'binary' }), version }),
    weight: 2,
  },
  { arbitrary: fc.record({ do: fc.constantFrom('posted', 'settled'), id, version }), weight: 3 },
  { arbitrary: fc.record({ do: fc.constant('beginPost'), id, after: fc.option(fc.string()) }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constantFrom('reopen', 'crash') }), weight: 1 },
);

/** What the journal must hold after an operation. */
function applyToModel(model: Map<string, JournalEntry>, op: Op): void {
  if (op.do === 'reopen' || op.do === 'crash') return;
  const entry = model.get(op.id) ?? EMPTY;
  switch (op.do) {
    case 'forget':
      return void model.delete(op.id);
    case 'refund':
      if (model.has(op.id)) model.set(op.id, { ...entry, attempts: Math.max(0, entry.attempts - 1) });
      return;
    case 'startOver':
      if (model.has(op.id)) model.set(op.id, { ...entry, attempts: 0, reply: null, begun: null });
      return;
    case 'begin':
      return void model.set(op.id, { ...entry, attempts: entry.attempts + 1 });
    case 'reply':
      return void model.set(op.id, {
        ...entry,
        reply: { text: op.text, toolCalls: 2, version: op.version },
        begun: null,
      });
    case 'beginPost':
      return void model.set(op.id, { ...entry, begun: { at: SOME_MOMENT, after: op.after } });
    case 'posted':
      return void model.set(op.id, { ...EMPTY, posts: entry.posts + 1, answered: op.version });
    case 'settled':
      return void model.set(op.id, { ...entry, answered: op.version });
  }
}

function applyToJournal(journal: Journal, op: Op): void {
  if (op.do === 'begin') {
    const before = journal.read(op.id)?.attempts ?? 0;
    expect(journal.beginAttempt(op.id)).toBe(before + 1);
  } else if (op.do === 'refund') journal.refundAttempt(op.id);
  else if (op.do === 'forget') journal.forget(op.id);
  else if (op.do === 'startOver') journal.startOver(op.id);
  else if (op.do === 'reply') journal.saveReply(op.id, { text: op.text, toolCalls: 2 }, op.version);
  else if (op.do === 'beginPost') journal.beginPost(op.id, op.after);
  else if (op.do === 'posted') journal.markPosted(op.id, op.version);
  else if (op.do === 'settled') journal.markSettled(op.id, op.version);
}

function keepIfThere(map: Map<string, JournalEntry>, key: string, entry: JournalEntry | undefined): void {
  if (entry !== undefined) map.set(key, entry);
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
      const forgotten = new Map<string, JournalEntry>();
      let dir = newDir();
      let journal = open(dir);
      for (const op of sequence) {
        if (op.do === 'forget') keepIfThere(forgotten, op.id, model.get(op.id));
        applyToModel(model, op);
        applyToJournal(journal, op);
        if (op.do === 'crash') dir = copyAsAfterKill(dir);
        if (op.do === 'crash' || op.do === 'reopen') {
          journal.close();
          journal = open(dir);
        }
        // What was forgotten right before a crash may be back.
        if (op.do === 'crash') {
          for (const key of journal.unfinished())
            keepIfThere(model, key, model.get(key) ?? forgotten.get(key));
        }
        if (op.do === 'reopen') forgotten.clear();
        for (const key of ['n1', 'n2', 'n3'])
          expect(withoutMoment(journal.read(key))).toEqual(model.get(key) ?? null);
        expect(journal.unfinished().sort()).toEqual([...model.keys()].sort());
      }
      journal.close();
    }),
    { numRuns: 40 },
  );
});

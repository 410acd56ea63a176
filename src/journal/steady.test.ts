import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Journal } from '../ports.ts';
import { JournalLocked, JournalUnavailable } from './errors.ts';
import { openJournal, type DiskJournal } from './journal.ts';
import { openSteadyJournal, type JournalMode } from './steady.ts';

/** Longer than the longest wait between two looks at the disk. */
const RETRY_MS = 20_000;
const V1 = { messageId: 'm1', createdAt: 1 };
const REPLY = { text: 'Done', toolCalls: 0 };

let dir: string;
/** Whether the disk takes writes, and whether it gives what it holds. */
let full: boolean;
let dead: boolean;
const opened: Journal[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  dir = mkdtempSync(join(tmpdir(), 'steady-'));
  [full, dead] = [false, false];
});
afterEach(() => {
  for (const journal of opened.splice(0)) journal.close();
  vi.useRealTimers();
  rmSync(dir, { recursive: true });
});

/** A real journal on a disk that fails on command. */
function openDisk(): DiskJournal {
  const failIf = (fails: () => boolean): void => {
    if (fails()) throw new JournalUnavailable('The journal in STATE_DIR (x) cannot be used.');
  };
  failIf(() => full || dead);
  const disk = openJournal(dir);
  const isRead = (name: string | symbol): boolean =>
    ['read', 'unfinished', 'readUpgradeExit'].some((one) => one === name);
  return new Proxy(disk, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== 'function' || name === 'close') return method;
      return (...args: unknown[]): unknown => {
        failIf(() => dead || (full && !isRead(name)));
        return Reflect.apply(method, target, args);
      };
    },
  });
}

function open(mode: JournalMode) {
  const journal = openSteadyJournal(openDisk, mode);
  opened.push(journal);
  const told: (string | null)[] = [];
  journal.watch((problem) => told.push(problem));
  return { journal, told };
}

/** What a new process finds. */
function afterwards<T>(journal: Journal, look: (disk: Journal) => T): T {
  journal.close();
  const disk = openJournal(dir);
  try {
    return look(disk);
  } finally {
    disk.close();
  }
}

test('a run that cannot be counted is refused, until the disk takes writes again', () => {
  const { journal, told } = open('required');
  full = true;
  expect(() => journal.beginAttempt('n1')).toThrow(JournalUnavailable);
  expect(told.at(-1)).toMatch(/STATE_DIR.*No run starts/s);
  vi.advanceTimersByTime(RETRY_MS);
  expect(() => journal.beginAttempt('n1')).toThrow(JournalUnavailable);
  full = false;
  vi.advanceTimersByTime(RETRY_MS);
  expect(told.at(-1)).toBeNull();
  expect(journal.beginAttempt('n1')).toBe(1);
});

test.for<JournalMode>(['required', 'optional'])(
  'a reply that the full disk does not take is kept: %s',
  (mode) => {
    const { journal } = open(mode);
    journal.beginAttempt('n1');
    full = true;
    journal.saveReply('n1', REPLY, V1);
    expect(journal.read('n1')).toMatchObject({ attempts: 1, reply: REPLY });
    journal.markPosted('n1', V1);
    expect(journal.read('n1')).toMatchObject({ attempts: 0, reply: null, posts: 1 });
    journal.forget('n1');
    journal.saveReply('n2', REPLY, V1);
    full = false;
    vi.advanceTimersByTime(RETRY_MS);
    expect(afterwards(journal, (disk) => disk.read('n2'))).toMatchObject({ reply: REPLY });
  },
);

test.for<JournalMode>(['required', 'optional'])(
  'what is forgotten while the disk is full is not brought up again, nor when it is well: %s',
  (mode) => {
    const { journal } = open(mode);
    for (const id of ['n1', 'n2']) journal.saveReply(id, REPLY, V1);
    full = true;
    journal.markPosted('n1', V1);
    for (const id of ['n1', 'n2', 'n3']) journal.forget(id);
    expect([journal.unfinished(), journal.read('n1'), journal.read('n2')]).toEqual([[], null, null]);
    full = false;
    vi.advanceTimersByTime(RETRY_MS);
    expect(journal.unfinished()).toEqual([]);
    expect(afterwards(journal, (disk) => disk.unfinished())).toEqual([]);
  },
);

test('optional: runs go on without the disk, are counted, and are written down when it is back', () => {
  full = true;
  const { journal, told } = open('optional');
  expect(told).toEqual([expect.stringMatching(/STATE_DIR.*JOURNAL=optional/s)]);
  expect(journal.read('n1')).toBeNull();
  expect(journal.beginAttempt('n1')).toBe(1);
  expect(journal.beginAttempt('n1')).toBe(2);
  full = false;
  vi.advanceTimersByTime(RETRY_MS);
  expect(told.at(-1)).toBeNull();
  expect(afterwards(journal, (disk) => disk.read('n1'))).toMatchObject({ attempts: 2 });
});

test('what cannot be read is not taken for new', () => {
  const { journal } = open('required');
  dead = true;
  expect(() => journal.read('n1')).toThrow(JournalUnavailable);
  expect(() => journal.readUpgradeExit()).toThrow(JournalUnavailable);
});

test('a start without a disk is refused unless optional; a second runtime is refused always', () => {
  full = true;
  expect(() => openSteadyJournal(openDisk, 'required')).toThrow(JournalUnavailable);
  full = false;
  open('required');
  expect(() => openSteadyJournal(openDisk, 'optional')).toThrow(JournalLocked);
});

test('whatever the disk does, reads show what was written, and nothing is written twice', () => {
  const step = fc.constantFrom('begin', 'refund', 'save', 'post', 'over', 'forget', 'break', 'mend');
  const ids = fc.constantFrom('a', 'b');
  fc.assert(
    fc.property(fc.array(fc.tuple(step, ids), { maxLength: 30 }), (steps) => {
      const { journal } = open('optional');
      const model = openJournal(mkdtempSync(join(dir, 'model-')));
      const both = (write: (one: Journal) => void): void => {
        write(journal);
        write(model);
      };
      for (const id of ['a', 'b']) both((one) => one.forget(id));
      for (const [name, id] of steps) {
        if (name === 'begin') both((one) => one.beginAttempt(id));
        if (name === 'refund') both((one) => one.refundAttempt(id));
        if (name === 'save') both((one) => one.saveReply(id, REPLY, V1));
        if (name === 'over') both((one) => one.startOver(id));
        if (name === 'post') both((one) => one.markPosted(id, V1));
        if (name === 'forget') both((one) => one.forget(id));
        if (name === 'break') full = true;
        if (name === 'mend') {
          full = false;
          vi.advanceTimersByTime(RETRY_MS);
        }
        const { attempts = 0, ...rest } = model.read(id) ?? {};
        expect(journal.read(id) ?? {}).toMatchObject({ ...rest, ...(attempts > 0 && { attempts }) });
      }
      full = false;
      const found = afterwards(journal, (disk) => [disk.read('a'), disk.read('b')]);
      expect(found).toEqual([model.read('a'), model.read('b')]);
      model.close();
    }),
    { numRuns: 40 },
  );
});

import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { breakTable, openTestStore } from '../../test/kits/store.ts';
import { Fault } from '../../machines/shared/fault.ts';
import { StateDirInUse } from '../state-dir/errors.ts';
import type { Store, StoreOptions } from './store.ts';

const cleanups: (() => void)[] = [];
let dir: string;
beforeEach(() => void (dir = newDir()));
afterEach(() => {
  vi.useRealTimers();
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function newDir(): string {
  const made = mkdtempSync(join(tmpdir(), 'journal-'));
  cleanups.push(() => rmSync(made, { recursive: true }));
  return made;
}

const open = (options: Partial<StoreOptions> = {}, where = dir): Store => openTestStore(where, options).store;

/** What a process finds after the one before it was killed: the files as they stand, nothing closed. */
function copyAsAfterKill(from: string): string {
  const copy = newDir();
  cpSync(from, copy, { recursive: true });
  return copy;
}

/** What the next process finds after the one before it was killed. */
function afterKill<T>(look: (store: Store) => T): T {
  const store = open({}, copyAsAfterKill(dir));
  try {
    return look(store);
  } finally {
    store.close();
  }
}

describe('values', () => {
  const key = fc.constantFrom('a', 'b', 'ключ', 'notification:1');
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ put: key, value: fc.jsonValue() }) },
    { weight: 3, arbitrary: fc.record({ remove: key }) },
    { weight: 1, arbitrary: fc.constant('reopen' as const) },
    { weight: 1, arbitrary: fc.constant('kill' as const) },
  );

  test('are what a map holds, whatever is done, over restarts and kills; what was removed may be back after a kill', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const model = new Map<string, unknown>();
        let removed = new Map<string, unknown>();
        let where = newDir();
        let store = open({}, where);
        for (const one of steps) {
          if (one === 'kill') where = copyAsAfterKill(where);
          if (one === 'kill' || one === 'reopen') {
            store.close();
            store = open({}, where);
            if (one === 'reopen') removed = new Map();
            for (const back of store.keys()) {
              if (!model.has(back) && removed.has(back)) model.set(back, removed.get(back));
            }
          } else if ('put' in one) {
            store.put(one.put, one.value);
            model.set(one.put, JSON.parse(JSON.stringify(one.value)));
            removed.delete(one.put);
          } else {
            store.remove(one.remove);
            if (model.has(one.remove)) removed.set(one.remove, model.get(one.remove));
            model.delete(one.remove);
          }
          expect(Object.fromEntries(store.keys().map((name) => [name, store.read(name)]))).toEqual(
            Object.fromEntries(model),
          );
        }
        store.close();
      }),
      { numRuns: 40 },
    );
  });

  test('of odd characters are given back as they were', () => {
    const odd = { 'lone \ud83d': 'NUL \u0000 \u202e "quotes" 😀\n' };
    const first = open();
    first.put('odd', odd);
    first.close();
    const second = open();
    expect(second.read('odd')).toEqual(odd);
    second.close();
  });

  test('cannot be changed from outside', () => {
    const store = open();
    const value = { list: [1] };
    store.put('a', value);
    value.list.push(2);
    (store.read('a') as typeof value).list.push(3);
    expect(store.read('a')).toEqual({ list: [1] });
    store.close();
  });

  test('that were put survive a SIGKILL at once; removals follow, sixteen together or when it is quiet', async () => {
    vi.useFakeTimers();
    const store = open();
    for (let n = 0; n < 20; n += 1) store.put(`n${n}`, n);
    expect(afterKill((next) => next.keys())).toHaveLength(20);
    for (let n = 0; n < 17; n += 1) store.remove(`n${n}`);
    expect(store.keys()).toEqual(['n17', 'n18', 'n19']);
    expect(afterKill((next) => next.keys())).toHaveLength(4);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(afterKill((next) => next.keys().sort())).toEqual(['n17', 'n18', 'n19']);
    store.close();
  });

  test('that nobody touched for 35 days go, at a start and while it runs', async () => {
    const day = 24 * 3_600_000;
    let today = 0;
    const options = { now: () => today * day };
    const first = open(options);
    first.put('old', 1);
    today = 30;
    first.put('young', 2);
    first.close();
    vi.useFakeTimers();
    today = 36;
    const second = open(options);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(second.keys()).toEqual(['young']);
    second.close();
    expect(open(options).keys()).toEqual(['young']);
  });
});

describe('files', () => {
  test('and the directory are for the owner alone', () => {
    const made = join(dir, 'made', 'here');
    const store = open({}, made);
    store.put('a', 1);
    expect(statSync(made).mode & 0o777).toBe(0o700);
    const files = readdirSync(made).sort();
    expect(files).toEqual([
      'journal.lock',
      'journal.pid',
      'journal.sqlite',
      'journal.sqlite-shm',
      'journal.sqlite-wal',
    ]);
    for (const file of files) expect([file, statSync(join(made, file)).mode & 0o777]).toEqual([file, 0o600]);
    store.close();
  });

  test('of a quiet store are small, whatever went through it', async () => {
    vi.useFakeTimers();
    const store = open();
    for (let n = 0; n < 100; n += 1) store.put(`n${n}`, 'x'.repeat(100_000));
    for (let n = 0; n < 100; n += 1) store.remove(`n${n}`);
    await vi.advanceTimersByTimeAsync(1_500);
    const bytes = readdirSync(dir).reduce((sum, file) => sum + statSync(join(dir, file)).size, 0);
    expect(bytes).toBeLessThan(100_000);
    store.put('later', 1);
    await store.synced();
    expect(afterKill((next) => next.read('later'))).toBe(1);
    store.close();
  });
});

describe.each(['required', 'optional'] as const)('a disk that fails, JOURNAL=%s', (mode) => {
  test('is told of once; what was put is kept in memory, and written when it is back', async () => {
    const store = open({ mode });
    const told: string[] = [];
    store.onFailure((problem) => told.push(problem));
    store.put('before', 1);
    store.put('gone', 1);
    const { mend } = breakTable(dir);
    store.put('a', 1);
    store.put('a', 2);
    store.remove('gone');
    expect(told).toEqual([expect.stringContaining(`STATE_DIR (${dir}) cannot be used: no such table: `)]);
    expect(told[0]).toContain(mode === 'required' ? 'No run starts' : 'JOURNAL=optional');
    expect([store.read('a'), store.read('before'), store.read('gone')]).toEqual([2, 1, null]);
    if (mode === 'required') {
      await expect(store.synced()).rejects.toMatchObject({ kind: 'journalUnavailable', message: told[0] });
    } else await store.synced();
    await expect(store.catchUp()).rejects.toBeInstanceOf(Fault);

    mend();
    // Only `catchUp` tries a disk that has failed.
    store.put('b', 3);
    expect(afterKill((next) => next.read('b'))).toBeNull();
    await store.catchUp();
    await store.synced();
    expect(afterKill((next) => next.keys().sort())).toEqual(['a', 'b', 'before']);
    store.put('c', 4);
    expect(afterKill((next) => next.read('c'))).toBe(4);
    store.close();
  });

  test('a listener that comes later is told at once', () => {
    const store = open({ mode });
    breakTable(dir);
    store.put('a', 1);
    const told: string[] = [];
    store.onFailure((problem) => told.push(problem));
    expect(told).toHaveLength(1);
    store.close();
  });

  test('what is lost as it closes is told', () => {
    const { store, notices } = openTestStore(dir, { mode });
    const { mend } = breakTable(dir);
    store.put('a', 1);
    store.close();
    expect(notices).toEqual([
      { event: 'journal.unwritten', message: expect.stringContaining('last changes of 1 entries') as string },
    ]);
    mend();
    const next = open({ mode });
    expect(next.keys()).toEqual([]);
    next.close();
  });
});

test('a start without a disk is refused, or goes on in memory and takes in later what the disk has', async () => {
  const file = join(dir, 'journal.sqlite');
  const first = open();
  first.put('kept', 1);
  first.put('newer', 1);
  first.close();
  const away = mkdtempSync(join(tmpdir(), 'journal-away-'));
  cleanups.push(() => rmSync(away, { recursive: true }));
  cpSync(file, join(away, 'journal.sqlite'));
  rmSync(file);
  cpSync(away, file, { recursive: true });
  expect(() => open()).toThrow(Fault);
  const store = open({ mode: 'optional' });
  store.put('newer', 2);
  await expect(store.catchUp()).rejects.toThrow('STATE_DIR');
  rmSync(file, { recursive: true });
  cpSync(join(away, 'journal.sqlite'), file);
  await store.catchUp();
  expect([store.read('kept'), store.read('newer')]).toEqual([1, 2]);
  expect(afterKill((next) => next.read('newer'))).toBe(2);
  store.close();
});

test('a second runtime is refused in either mode', () => {
  const store = open();
  for (const mode of ['required', 'optional'] as const) expect(() => open({ mode })).toThrow(StateDirInUse);
  store.close();
});

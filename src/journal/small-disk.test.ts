import { readdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { mountSmall } from '../../test/kits/mount.ts';
import { openTestStore } from '../../test/kits/store.ts';

const TEXT = 'x'.repeat(2_000);

afterEach(() => void vi.useRealTimers());

test('a store fills no disk of 400 KB by itself, whatever goes through it', async (context) => {
  const dir = mountSmall(context, 400);
  const { store } = openTestStore(dir);
  const told: string[] = [];
  store.onFailure((problem) => told.push(problem));
  for (let n = 0; n < 2_000; n += 1) {
    store.put(`n${n}`, TEXT);
    if (n >= 20) store.remove(`n${n - 20}`);
  }
  await store.synced();
  expect(told).toEqual([]);
  expect(store.keys()).toHaveLength(20);
  store.close();
});

test('a disk that somebody else fills is full only when folding the log in does not help', async (context) => {
  vi.useFakeTimers();
  const dir = mountSmall(context, 400);
  const { store } = openTestStore(dir);
  const told: string[] = [];
  store.onFailure((problem) => told.push(problem));
  // When it is quiet, what was put gets its place in the file.
  for (let n = 100; n < 103; n += 1) store.put('n', `${n} ${TEXT}`);
  await vi.advanceTimersByTimeAsync(1_500);
  const { bavail, bsize } = statfsSync(dir);
  const filler = join(dir, 'filler');
  writeFileSync(filler, Buffer.alloc((bavail - 16) * bsize));
  for (let n = 200; n < 400; n += 1) store.put('n', `${n} ${TEXT}`);
  expect(told).toEqual([]);
  store.put('large', TEXT.repeat(50));
  expect(told).toEqual([expect.stringContaining('database or disk is full')]);
  await expect(store.catchUp()).rejects.toThrow('full');
  rmSync(filler);
  await store.catchUp();
  store.close();
  const next = openTestStore(dir).store;
  expect([next.read('large'), next.read('n')]).toEqual([TEXT.repeat(50), `399 ${TEXT}`]);
  next.close();
  const bytes = readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
  expect(bytes).toBeLessThan(400 * 1_024);
});

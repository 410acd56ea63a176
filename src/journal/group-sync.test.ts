import { expect, test } from 'vitest';
import { createGroupSync } from './group-sync.ts';

/** A disk whose syncs end on command. */
function createDisk() {
  const syncs: { written: number; end: (error?: Error) => void }[] = [];
  let written = 0;
  const synced = createGroupSync(
    () =>
      new Promise((resolve, reject) => {
        syncs.push({ written, end: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
  );
  return {
    syncs,
    /** Writes and asks for it to be on the disk. */
    write: (): Promise<void> => {
      written += 1;
      return synced();
    },
  };
}

/** A sync begins when those who ask in the same moment have asked. */
const begun = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const settled = async (promise: Promise<void>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);

test('those who ask at the same time share one sync', async () => {
  const { syncs, write } = createDisk();
  const asked = [write(), write()];
  await begun();
  expect(syncs.map(({ written }) => written)).toEqual([2]);
  syncs[0]?.end();
  await Promise.all(asked);
});

test('what is written during a sync waits for the next one, and shares it', async () => {
  const { syncs, write } = createDisk();
  const first = write();
  await begun();
  const [second, third] = [write(), write()];
  syncs[0]?.end();
  await first;
  expect(await settled(second)).toBe(false);
  expect(syncs.map(({ written }) => written)).toEqual([1, 3]);
  syncs[1]?.end();
  await Promise.all([second, third]);
  void write();
  await begun();
  expect(syncs.map(({ written }) => written)).toEqual([1, 3, 4]);
});

test('a sync that fails fails those who waited for it, and no others', async () => {
  const { syncs, write } = createDisk();
  const first = write();
  await begun();
  const second = write();
  syncs[0]?.end(new Error('the disk is gone'));
  await expect(first).rejects.toThrow('the disk is gone');
  syncs[1]?.end();
  await expect(second).resolves.toBeUndefined();
});

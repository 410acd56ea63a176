import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { forgetTogether } from './forget-together.ts';
import { createMemoryJournal } from './memory.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open() {
  const disk = createMemoryJournal();
  let [transactions, full] = [0, false];
  const journal = forgetTogether(disk, (work) => {
    if (full) throw new Error('no space left');
    transactions += 1;
    work();
  });
  const begin = (...ids: string[]): void => ids.forEach((id) => void journal.beginAttempt(id));
  return { journal, disk, begin, transactions: () => transactions, fill: (is: boolean) => void (full = is) };
}

test('what is forgotten is gone at once, and from the disk soon, all in one', () => {
  const { journal, disk, begin, transactions } = open();
  begin('n1', 'n2', 'n3');
  journal.forget('n1');
  journal.forget('n2');
  expect([journal.read('n1'), journal.unfinished()]).toEqual([null, ['n3']]);
  expect(disk.unfinished()).toEqual(['n1', 'n2', 'n3']);
  vi.advanceTimersByTime(50);
  expect([disk.unfinished(), transactions()]).toEqual([['n3'], 1]);
});

test('many do not wait for their time', () => {
  const { journal, disk, begin } = open();
  const ids = Array.from({ length: 16 }, (_, n) => `n${n}`);
  begin(...ids);
  for (const id of ids) journal.forget(id);
  expect(disk.unfinished()).toEqual([]);
});

test('a row that is begun anew begins with nothing', () => {
  const { journal, begin } = open();
  begin('n1', 'n1');
  journal.forget('n1');
  expect(journal.beginAttempt('n1')).toBe(1);
  vi.advanceTimersByTime(50);
  expect(journal.read('n1')).toMatchObject({ attempts: 1 });
});

test('a disk that is full is tried again with the next, who is told, and by the one who closes', () => {
  const { journal, disk, begin, fill } = open();
  begin('n1', 'n2');
  fill(true);
  journal.forget('n1');
  vi.advanceTimersByTime(50);
  expect([journal.read('n1'), disk.unfinished()]).toEqual([null, ['n1', 'n2']]);
  expect(() => journal.forget('n2')).toThrow('no space left');
  fill(false);
  journal.forget('n2');
  vi.advanceTimersByTime(50);
  expect(disk.unfinished()).toEqual([]);
  begin('n3');
  journal.forget('n3');
  journal.settle();
  expect(disk.unfinished()).toEqual([]);
});

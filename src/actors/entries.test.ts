import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { began, isAnswered, markBegan, NOTHING_KNOWN, posted } from '../../machines/notification/entry.ts';
import { openTestStore } from '../../test/kits/store.ts';
import { createEntries } from './entries.ts';

const VERSION = { messageId: 'm1', createdAt: 1 };
const NEWER = { messageId: 'm2', createdAt: 2 };
const RUN = began(NOTHING_KNOWN, VERSION);

test.each([
  ['that was answered', posted(RUN, VERSION)],
  ['whose agent said nothing', RUN],
  ['whose agent said nothing to a message that may be replaced', markBegan(RUN, VERSION)],
])('a row %s stays answered when it is listed after its mark, until a newer message comes', (_, entry) => {
  const dir = mkdtempSync(join(tmpdir(), 'entries-'));
  const { store } = openTestStore(dir);
  const entries = createEntries(store);
  entries.keep('n1', entry);
  entries.finish('n1', entry);
  const read = entries.read('n1') ?? NOTHING_KNOWN;
  expect(isAnswered(read, VERSION)).toBe(true);
  expect(isAnswered(read, NEWER)).toBe(false);
  expect(entries.unfinished()).toEqual([]);
  store.close();
  rmSync(dir, { recursive: true });
});

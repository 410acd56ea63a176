import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTestStore } from '../../test/kits/store.ts';
import { createEntries } from '../actors/entries.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'replies-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, 'replies.ts'), '--dir', dir, ...args], {
    encoding: 'utf8',
  });

const LETTER = {
  notificationId: 'n1',
  taskId: 'task-1',
  agentId: 'agent-e',
  text: 'Done, see the branch.',
  reason: 'The task is gone.',
  at: 1_790_000_000_000,
};

test('lists what could not be posted, and exports it', async () => {
  const { store } = openTestStore(dir);
  await createEntries(store).bury(LETTER);
  expect(createEntries(store).deadLetters()).toEqual([LETTER]);
  store.close();
  expect(run().stdout).toContain('Not posted: The task is gone.\nDone, see the branch.');
  expect(JSON.parse(run('--json').stdout)).toEqual(LETTER);
});

test('says that all is posted, and where there is no journal', () => {
  expect(run()).toMatchObject({ status: 1, stdout: '' });
  expect(run().stderr).toMatch(/^There is no journal in .+: name the runtime's STATE_DIR with --dir\.$/m);
  openTestStore(dir).store.close();
  expect(run()).toMatchObject({ status: 0, stdout: 'No reply is kept: every reply was posted.\n' });
});

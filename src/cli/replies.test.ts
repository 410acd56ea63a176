import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTestStore } from '../../test/kits/store.ts';
import { createDeadLetters, LETTER_PREFIX } from '../actors/dead-letters.ts';

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
  title: 'engineer · Fix the login bug',
  text: 'Done, see the branch.',
  reason: 'The task is gone.',
  at: 1_790_000_000_000,
};

test('lists what could not be posted, and exports it', async () => {
  const { store } = openTestStore(dir);
  await createDeadLetters(store).bury(LETTER);
  expect(createDeadLetters(store).all()).toEqual([LETTER]);
  store.close();
  expect(run().stdout).toBe(
    '2026-09-21T14:13:20.000Z  engineer · Fix the login bug  (agent agent-e, task task-1, notification n1)\n' +
      'Not posted: The task is gone.\nDone, see the branch.\n',
  );
  expect(JSON.parse(run('--json').stdout)).toEqual(LETTER);
});

test('lists a letter of an earlier version, which has no title', () => {
  const { store } = openTestStore(dir);
  const letter = { ...LETTER, title: undefined };
  store.put(`${LETTER_PREFIX}n1:${LETTER.at}`, letter);
  store.close();
  expect(run().stdout).toMatch(/Z {2}agent agent-e, task task-1, notification n1\nNot posted: /);
  expect(JSON.parse(run('--json').stdout)).toEqual(letter);
});

test('says that all is posted, and where there is no journal', () => {
  expect(run()).toMatchObject({ status: 1, stdout: '' });
  expect(run().stderr).toMatch(/^There is no journal in .+: name the runtime's STATE_DIR with --dir\.$/m);
  openTestStore(dir).store.close();
  expect(run()).toMatchObject({ status: 0, stdout: 'No reply is kept: every reply was posted.\n' });
});

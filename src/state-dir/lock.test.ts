import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StateDirInUse } from './errors.ts';
import { openTestStore } from '../../test/kits/store.ts';

let dir = '';
const children: ChildProcess[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'journal-'));
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  rmSync(dir, { recursive: true });
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

const KIT = new URL('../../test/kits/store.ts', import.meta.url).href;

/**
 * Another process that opens the store, puts something, says "kept" (or why it could not) and stays. It holds
 * nothing of the store, and collects its garbage first: the lock must stay all the same.
 * @returns what it said
 */
async function otherProcess(): Promise<{ child: ChildProcess; said: string }> {
  const code = `
    import { openTestStore } from ${JSON.stringify(KIT)};
    try {
      openTestStore(${JSON.stringify(dir)}).store.put('n1', 1);
      for (let turns = 0; turns < 5; turns += 1) {
        gc();
        await new Promise(setImmediate);
      }
      console.log('kept');
    } catch (error) {
      console.log(error.name + ': ' + error.message);
    }
    setInterval(() => {}, 60_000);`;
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const said = await new Promise<string>((resolve) =>
    child.stdout.once('data', (chunk) => resolve(String(chunk))),
  );
  return { child, said: said.trim() };
}

test('a second process is refused by a sentence with the pid, and let in once the first is killed', async () => {
  const { child, said } = await otherProcess();
  expect(said).toBe('kept');
  expect(() => openTestStore(dir)).toThrow(StateDirInUse);
  expect(() => openTestStore(dir)).toThrow(
    `STATE_DIR (${dir}) is in use by another runtime (process ${child.pid})`,
  );

  await kill(child);
  const { store } = openTestStore(dir);
  // What was put before the SIGKILL is there after it.
  expect(store.read('n1')).toBe(1);
  store.close();
});

test('a second opening in the same process is refused and does not loosen the lock', async () => {
  const { store } = openTestStore(dir);
  expect(() => openTestStore(dir)).toThrow(`process ${process.pid}`);
  const { said } = await otherProcess();
  expect(said).toContain(
    `StateDirInUse: STATE_DIR (${dir}) is in use by another runtime (process ${process.pid})`,
  );
  store.close();
  expect((await otherProcess()).said).toBe('kept');
});

test('a lock file with bytes of somebody else in it is a lock all the same', async () => {
  writeFileSync(join(dir, 'journal.lock'), 'garbage '.repeat(1_000));
  const { store } = openTestStore(dir);
  const { said } = await otherProcess();
  expect(said).toContain('StateDirInUse');
  store.close();
});

describe('with a wait', () => {
  test('a second process says so in one line, and goes on when the first one has left', async () => {
    const { child } = await otherProcess();
    const leaves = spawn('sh', ['-c', `sleep 0.5; kill -9 ${child.pid}`]);
    children.push(leaves);
    const { store, notices } = openTestStore(dir, { lockWaitMs: 30_000 });
    expect(notices.map(({ event }) => event)).toEqual(['journal.waiting']);
    expect(notices[0]?.message).toContain(`process ${child.pid}`);
    expect(store.read('n1')).toBe(1);
    store.close();
  });

  test('it is refused when the time is over', async () => {
    await otherProcess();
    expect(() => openTestStore(dir, { lockWaitMs: 300 })).toThrow(StateDirInUse);
  });
});

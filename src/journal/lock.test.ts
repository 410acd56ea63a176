import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { JournalLocked } from './errors.ts';
import { openJournal } from './journal.ts';

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

/**
 * Another process that opens the journal, counts an attempt, says "counted" (or why it could not) and stays. It keeps
 * nothing of the journal, and collects its garbage first: the lock must stay all the same.
 * @returns what it said
 */
async function otherProcess(): Promise<{ child: ChildProcess; said: string }> {
  const code = `
    import { openJournal } from ${JSON.stringify(new URL('journal.ts', import.meta.url).href)};
    try {
      openJournal(${JSON.stringify(dir)}).beginAttempt('n1');
      for (let turns = 0; turns < 5; turns += 1) {
        gc();
        await new Promise(setImmediate);
      }
      console.log('counted');
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
  expect(said).toBe('counted');
  expect(() => openJournal(dir)).toThrow(JournalLocked);
  expect(() => openJournal(dir)).toThrow(
    `STATE_DIR (${dir}) is in use by another runtime (process ${child.pid})`,
  );

  await kill(child);
  const journal = openJournal(dir);
  // What was counted before the SIGKILL is there after it.
  expect(journal.read('n1')).toMatchObject({ attempts: 1 });
  journal.close();
});

test('a second opening in the same process is refused and does not loosen the lock', async () => {
  const journal = openJournal(dir);
  expect(() => openJournal(dir)).toThrow(`process ${process.pid}`);
  const { said } = await otherProcess();
  expect(said).toContain(
    `JournalLocked: STATE_DIR (${dir}) is in use by another runtime (process ${process.pid})`,
  );
  journal.close();
  expect((await otherProcess()).said).toBe('counted');
});

test('a lock file with bytes of somebody else in it is a lock all the same', async () => {
  writeFileSync(join(dir, 'journal.lock'), 'garbage '.repeat(1_000));
  const journal = openJournal(dir);
  const { said } = await otherProcess();
  expect(said).toContain('JournalLocked');
  journal.close();
});

import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, type TestContext } from 'vitest';
import { mountHanging, needsRoot } from '../kits/mount.ts';
import { spawnRuntime, startRuntime, temporaryDirectory } from '../kits/runtime.ts';

const ENV = {
  ACCOUNT_ID: 'acc1',
  CONVEX_URL: 'http://127.0.0.1:1',
  SERVICE_TOKEN: `mc_service_acc1_${'ab'.repeat(32)}`,
};
const NOBODY = { uid: 65_534, gid: 65_534 };

/** Makes a directory as another user leaves it on a volume: root owns it, and a group may use it. @returns the STATE_DIR */
function directoryOfRoot(test: TestContext, fileMode: number): string {
  needsRoot(test);
  const parent = temporaryDirectory();
  chmodSync(parent, 0o755);
  const stateDir = join(parent, 'state');
  mkdirSync(stateDir);
  chownSync(stateDir, 0, NOBODY.gid);
  chmodSync(stateDir, 0o2770);
  for (const name of ['journal.lock', 'journal.sqlite']) {
    const path = join(stateDir, name);
    writeFileSync(path, '');
    chownSync(path, 0, NOBODY.gid);
    chmodSync(path, fileMode);
  }
  return stateDir;
}

describe('a STATE_DIR of another user', () => {
  test('whose files the group may write: it starts, with one warning', async (context) => {
    const STATE_DIR = directoryOfRoot(context, 0o660);
    const runtime = await startRuntime({ env: { ...ENV, STATE_DIR }, user: NOBODY });
    const warnings = runtime.log.filter(({ event }) => event.startsWith('journal.'));
    expect(warnings).toMatchObject([{ level: 'warn', event: 'journal.shared' }]);
    expect(warnings[0]?.message).toContain('journal.lock, journal.sqlite');
    expect((await runtime.health()).journal.state).toBe('available');
  });

  test('whose files it may not open: exit 78, with the file, its owner and its mode', async (context) => {
    const STATE_DIR = directoryOfRoot(context, 0o600);
    const runtime = spawnRuntime({ env: { ...ENV, STATE_DIR }, user: NOBODY });
    expect(await runtime.exited).toEqual({ code: 78, signal: null });
    const words = runtime.stderr().trim();
    expect(words.split('\n')).toHaveLength(1);
    expect(words).toContain(`${join(STATE_DIR, 'journal.lock')} belongs to user 0 with mode 0600`);
    expect(words).toContain('the runtime is user 65534');
  });
});

test('a STATE_DIR whose file system hangs: exit 78 with one sentence', async (context) => {
  const STATE_DIR = await mountHanging(context);
  const runtime = spawnRuntime({ env: { ...ENV, STATE_DIR } });
  expect(await runtime.exited).toEqual({ code: 78, signal: null });
  expect(runtime.stderr().trim()).toMatch(
    /^The file system of STATE_DIR \(.*\) has not answered for 5 s: [^\n]*$/,
  );
});

describe('a STATE_DIR that another runtime has', () => {
  test('the second one says that it waits, and goes on when the first one has left', async () => {
    const first = await startRuntime({ env: ENV });
    const second = spawnRuntime({ env: { ...ENV, STATE_DIR: first.stateDir } });
    const { message } = await second.waitForLog('that it waits', ({ event }) => event === 'journal.waiting');
    expect(message).toContain(`process ${first.pid}`);
    expect(message).toContain('60 s (STATE_LOCK_WAIT)');
    first.kill('SIGTERM');
    await second.waitForLog('where it listens', ({ event }) => event === 'health.listening');
    expect((await first.exited).code).toBe(0);
    expect(second.log.filter(({ event }) => event === 'journal.waiting')).toHaveLength(1);
  });

  test('the second one leaves with 78 when the time is over, and does not advise a directory of its own', async () => {
    const first = await startRuntime({ env: ENV });
    const second = spawnRuntime({ env: { ...ENV, STATE_DIR: first.stateDir, STATE_LOCK_WAIT: '300ms' } });
    expect(await second.exited).toEqual({ code: 78, signal: null });
    expect(second.stderr().trim()).toBe(
      `STATE_DIR (${first.stateDir}) is in use by another runtime (process ${first.pid}). ` +
        'An account has one runtime at a time: stop the other one first.',
    );
  });

  test('a signal ends the wait', async () => {
    const first = await startRuntime({ env: ENV });
    const second = spawnRuntime({ env: { ...ENV, STATE_DIR: first.stateDir } });
    await second.waitForLog('that it waits', ({ event }) => event === 'journal.waiting');
    second.kill('SIGTERM');
    expect(await second.exited).toEqual({ code: null, signal: 'SIGTERM' });
  });
});

import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, type TestContext } from 'vitest';
import { needsRoot } from '../kits/mount.ts';
import { expectLastWords } from '../kits/mid-run.ts';
import { startRuntime, temporaryDirectory, type RuntimeProcess } from '../kits/runtime.ts';
import { echoGateway, missionControl, type MissionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

const START_AGAIN = { code: 75, signal: null };
const NOBODY = { uid: 65_534, gid: 65_534 };

/** What the upgrade script may leave in the STATE_DIR of a runtime that cannot read it. */
const UNREADABLE: [what: string, make: (path: string, test: TestContext) => typeof NOBODY | undefined][] = [
  [
    'is a directory',
    (path) => {
      mkdirSync(path);
      return undefined;
    },
  ],
  [
    "is root's alone",
    (path, test) => {
      needsRoot(test);
      writeFileSync(path, '{}');
      chmodSync(path, 0o600);
      const stateDir = join(path, '..');
      chownSync(stateDir, NOBODY.uid, NOBODY.gid);
      return NOBODY;
    },
  ],
];

describe('what Mission Control asks for', () => {
  test('a restart: exit 75, once', async () => {
    const backend = await missionControl();
    const gateway = await echoGateway();
    const runtime = await startRuntime({ backend, gateway });
    await backend.call('demo/actions:requestRestart', {});
    expect(await runtime.exited).toEqual(START_AGAIN);
    expectLastWords(runtime, 75);

    const next = await startRuntime({ backend, gateway, env: { STATE_DIR: runtime.stateDir } });
    await staysUp(backend, next);
  });

  test.for(UNREADABLE)(
    'a restart, where upgrade-result.json %s: one warning names it, and the request is carried out',
    async ([, make], context) => {
      const STATE_DIR = temporaryDirectory();
      const path = join(STATE_DIR, 'upgrade-result.json');
      const user = make(path, context);
      const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
      const runtime = await startRuntime({ backend, gateway, env: { STATE_DIR }, ...(user && { user }) });
      await backend.call('demo/actions:requestRestart', {});
      expect(await runtime.exited).toEqual(START_AGAIN);
      expectLastWords(runtime, 75);
      const warnings = runtime.log.filter(({ event }) => event === 'upgrade.resultLost');
      expect(warnings).toMatchObject([{ level: 'warn' }]);
      expect(warnings[0]?.message).toContain(`${path} cannot be read (${user ? 'EACCES' : 'EISDIR'})`);
    },
  );

  test('an upgrade: exit 75; started as the same version it works on and says so', async () => {
    const { backend, gateway, runtime } = await askedToUpgrade();
    expect(await runtime.exited).toEqual(START_AGAIN);
    expectLastWords(runtime, 75);
    expect(runtime.log.at(-1)?.message).toContain('9.9.9');

    const next = await startRuntime({ backend, gateway, env: { STATE_DIR: runtime.stateDir } });
    const { upgrade } = await next.waitForHealth(
      'that it is held back',
      (health) => health.upgrade.state === 'heldBack',
    );
    expect(upgrade).toMatchObject({
      targetRuntimeVersion: '9.9.9',
      requestedAt: expect.any(String) as string,
    });
    expect(upgrade.reason).toContain('upgrade script');
    await staysUp(backend, next);
    expect(next.log.filter(({ event }) => event === 'upgrade.degraded')).toHaveLength(1);
    const { status, problems } = await next.health();
    expect(status).toBe('degraded');
    expect(problems).toMatchObject([
      { source: 'upgrade', problem: expect.stringContaining('9.9.9') as string },
    ]);
    const taskId = backend.taskIds[0] ?? '';
    await backend.postMessage(taskId, '@engineer work on it');
    await until('It goes on to deliver', async () =>
      (await backend.listThread(taskId)).some(({ content }) => content.startsWith('echo from engineer')),
    );
  });

  test('an upgrade: exit 75; started as the version that was asked for, it reports success', async () => {
    const { backend, gateway, runtime } = await askedToUpgrade();
    expect(await runtime.exited).toEqual(START_AGAIN);
    const env = { STATE_DIR: runtime.stateDir, RUNTIME_VERSION: '9.9.9' };
    const next = await startRuntime({ backend, gateway, env });
    await staysUp(backend, next);
    const { upgrade } = await next.waitForHealth(
      'that nothing is asked of it',
      (health) => health.upgrade.state === 'current',
    );
    expect(upgrade.targetRuntimeVersion).toBeNull();
    expect(await backend.call('demo/actions:showRuntime', {})).toMatchObject({
      runtime: { upgradeHistory: [{ status: 'success', toRuntimeVersion: '9.9.9' }] },
    });
  });

  test('an upgrade with UPGRADE_MODE=notify: it only tells', async () => {
    const { backend, runtime } = await askedToUpgrade({ UPGRADE_MODE: 'notify' });
    const { upgrade } = await runtime.waitForHealth(
      'the upgrade',
      (health) => health.upgrade.state === 'available',
    );
    expect(upgrade).toMatchObject({ mode: 'notify', targetRuntimeVersion: '9.9.9' });
    await staysUp(backend, runtime);
    expect(runtime.log.filter(({ event }) => event === 'upgrade.noticed')).toHaveLength(1);
  });
});

async function askedToUpgrade(env: Record<string, string> = {}) {
  const backend = await missionControl();
  const gateway = await echoGateway();
  const runtime = await startRuntime({ backend, gateway, env });
  await until('It has reported once', async () => (await backend.showRuntime()).runtimeConfig);
  await backend.call('demo/actions:requestUpgrade', { targetRuntimeVersion: '9.9.9', strategy: 'immediate' });
  return { backend, gateway, runtime };
}

/** Waits for two status reports, with each of which it looks for requests, and finds it still at work. */
async function staysUp(backend: MissionControl, runtime: RuntimeProcess): Promise<void> {
  for (const report of ['one report', 'another report']) {
    const last = (await backend.showRuntime()).runtimeConfig?.lastHealthCheck ?? 0;
    await until(
      report,
      async () => ((await backend.showRuntime()).runtimeConfig?.lastHealthCheck ?? 0) > last,
    );
  }
  expect((await runtime.get('/readyz')).status).toBe(200);
}

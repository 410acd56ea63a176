import { expect, test } from 'vitest';
import { api, internal } from '../_generated/api.js';
import { createBackend, found, service } from '../testing.setup.ts';

type Backend = Awaited<ReturnType<typeof createBackend>>;
const MINUTE = 60_000;

const config = (runtime = '1.0.0', lastHealthCheck = Date.now()) => ({
  dropletId: 'd',
  ipAddress: '127.0.0.1',
  lastHealthCheck,
  openclawVersion: '2026.1.1',
  runtimeServiceVersion: runtime,
});

const report = (backend: Backend, status: 'online' | 'degraded' | 'offline', reported = config()) =>
  backend.t.action(service.updateRuntimeStatus, { ...backend.auth, status, config: reported });

const show = (backend: Backend) => backend.t.action(api.demo.actions.showRuntime, backend.person);

const broadcasts = async (backend: Backend) =>
  (await backend.t.action(api.demo.actions.listNotifications, backend.person))
    .filter(({ recipientType, type }) => recipientType === 'user' && type === 'status_change')
    .map(({ title }) => title)
    .reverse();

const askForUpgrade = (backend: Backend, targetRuntimeVersion: string) =>
  backend.t.action(api.demo.actions.requestUpgrade, {
    ...backend.person,
    targetRuntimeVersion,
    strategy: 'immediate',
  });

test('the first report registers the runtime; people hear of going and coming back only', async () => {
  const backend = await createBackend();
  expect((await show(backend)).runtime).toBeNull();
  await report(backend, 'online');
  await report(backend, 'degraded');
  await report(backend, 'online');
  await report(backend, 'offline');
  await report(backend, 'offline');
  await report(backend, 'online');
  expect(await broadcasts(backend)).toEqual([
    'Runtime is back online',
    'Runtime is offline',
    'Runtime is back online',
  ]);
  expect(await show(backend)).toMatchObject({
    account: { runtimeStatus: 'online', runtimeConfig: { dropletId: 'd' } },
    runtime: { status: 'online', runtimeServiceVersion: '1.0.0', openclawVersion: '2026.1.1' },
  });
});

test('offline: no agent is there and nobody is typing', async () => {
  const backend = await createBackend();
  await backend.t.action(service.updateAgentHeartbeat, {
    ...backend.auth,
    agentId: backend.engineer,
    status: 'busy',
  });
  await backend.say(backend.bug, '@engineer hello');
  const row = found((await backend.queue())[0]);
  await backend.t.action(service.markNotificationRead, { ...backend.auth, notificationId: row._id });
  await report(backend, 'offline');
  const roster = await backend.t.action(service.listAgents, backend.auth);
  expect(new Set(roster.map(({ status }) => status))).toEqual(new Set(['offline']));
  expect((await backend.queue())[0]).not.toHaveProperty('readAt');
});

test('a runtime that has not reported for 90 s is called offline', async () => {
  const backend = await createBackend();
  await report(backend, 'online', config('1.0.0', Date.now() - 60_000));
  expect(await backend.t.mutation(internal.accounts.markStaleRuntimesOffline, {})).toBe(0);
  await report(backend, 'degraded', config('1.0.0', Date.now() - 91_000));
  expect(await backend.t.mutation(internal.accounts.markStaleRuntimesOffline, {})).toBe(1);
  expect((await show(backend)).account.runtimeStatus).toBe('offline');
  expect(await broadcasts(backend)).toContain('Runtime is offline');
  expect(await backend.t.mutation(internal.accounts.markStaleRuntimesOffline, {})).toBe(0);
});

test('a restart is asked for once', async () => {
  const backend = await createBackend();
  const check = () => backend.t.action(service.checkAndClearRestartRequested, backend.auth);
  expect(await check()).toEqual({ restartRequested: false });
  await backend.t.action(api.demo.actions.requestRestart, backend.person);
  expect(await check()).toEqual({ restartRequested: true });
  expect(await check()).toEqual({ restartRequested: false });
});

test('an upgrade needs a registered runtime', async () => {
  const backend = await createBackend();
  await expect(askForUpgrade(backend, '2.0.0')).rejects.toThrow('No runtime registered for this account');
});

test('an upgrade ends when the target versions report', async () => {
  const backend = await createBackend();
  await report(backend, 'online');
  await askForUpgrade(backend, '2.0.0');
  expect(await backend.t.action(service.getPendingUpgrade, backend.auth)).toMatchObject({
    targetOpenclawVersion: '2026.1.1',
    targetRuntimeVersion: '2.0.0',
    strategy: 'immediate',
  });
  await report(backend, 'online');
  expect(await backend.t.action(service.getPendingUpgrade, backend.auth)).not.toBeNull();
  await report(backend, 'online', config('2.0.0'));
  expect(await backend.t.action(service.getPendingUpgrade, backend.auth)).toBeNull();
  expect((await show(backend)).runtime?.upgradeHistory).toMatchObject([
    { status: 'success', fromRuntimeVersion: '1.0.0', toRuntimeVersion: '2.0.0' },
  ]);
});

test('an upgrade that takes more than 30 minutes has failed', async () => {
  const backend = await createBackend();
  await report(backend, 'online');
  await askForUpgrade(backend, '2.0.0');
  await backend.t.run(async (ctx) => {
    const runtime = found(await ctx.db.query('runtimes').first());
    const pendingUpgrade = { ...found(runtime.pendingUpgrade), initiatedAt: Date.now() - 31 * MINUTE };
    await ctx.db.patch('runtimes', runtime._id, { pendingUpgrade });
  });
  await report(backend, 'online');
  const { runtime } = await show(backend);
  expect(runtime).not.toHaveProperty('pendingUpgrade');
  expect(runtime?.upgradeHistory).toMatchObject([{ status: 'failed', error: 'Upgrade timed out' }]);
});

test('the runtime’s own word on an upgrade: ten are kept, an error is one line', async () => {
  const backend = await createBackend();
  await report(backend, 'online');
  await askForUpgrade(backend, '2.0.0');
  const result = {
    ...backend.auth,
    fromOpenclawVersion: '2026.1.1',
    toOpenclawVersion: '2026.1.1',
    fromRuntimeVersion: '1.0.0',
    toRuntimeVersion: '2.0.0',
  };
  for (let n = 0; n < 11; n++) {
    await backend.t.action(service.recordUpgradeResult, { ...result, status: 'success', duration: n });
  }
  expect((await show(backend)).runtime).toMatchObject({ status: 'online', runtimeServiceVersion: '2.0.0' });
  await backend.t.action(service.recordUpgradeResult, {
    ...result,
    status: 'failed',
    error: `${'e'.repeat(3000)}\nstack`,
  });
  const { runtime } = await show(backend);
  expect(runtime).toMatchObject({ status: 'error', runtimeServiceVersion: '2.0.0' });
  expect(runtime).not.toHaveProperty('pendingUpgrade');
  expect(runtime?.upgradeHistory?.map(({ duration }) => duration)).toEqual([
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    undefined,
  ]);
  expect(runtime?.upgradeHistory?.at(-1)?.error).toBe('e'.repeat(2048));
});

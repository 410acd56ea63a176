import { expect, test } from 'vitest';
import { api } from '../_generated/api.js';
import { carrying, createBackend, found, service } from '../testing.setup.ts';

const extensions = api.service.extensions;

async function withSignal() {
  const backend = await createBackend();
  const signal = () => backend.t.query(extensions.wakeUp, backend.auth);
  let last = await signal();
  return {
    ...backend,
    /** Whether the work changes the signal. */
    wakes: async (work: () => Promise<unknown>) => {
      await work();
      const now = await signal();
      const changed = now !== last;
      last = now;
      return changed;
    },
  };
}

test('tells what it offers, to whom the account is', async () => {
  const { t, auth } = await createBackend();
  expect(await t.action(extensions.capabilities, auth)).toEqual({
    functions: [
      'wakeUp',
      'listWithContexts',
      'leaseNotifications',
      'releaseNotifications',
      'beginDelivery',
      'completeDelivery',
      'reportStatus',
    ],
  });
  const stranger = { ...auth, serviceToken: `mc_service_${auth.accountId}_${'cd'.repeat(32)}` };
  const refusal = carrying('UNAUTHENTICATED', 'Invalid service token');
  await expect(t.action(extensions.capabilities, stranger)).rejects.toMatchObject(refusal);
  await expect(t.query(extensions.wakeUp, stranger)).rejects.toMatchObject(refusal);
});

test('wakes for a row that comes and for one that takes in a newer message', async () => {
  const { say, wakes, bug } = await withSignal();
  expect(await wakes(() => say(bug, 'first'))).toBe(true);
  expect(await wakes(() => say(bug, 'second'))).toBe(true);
  expect(await wakes(() => say(bug, '@engineer third'))).toBe(true);
});

test('wakes for nothing else: marks, reports, and what users are told', async () => {
  const { t, auth, say, wakes, queue, bug, engineer } = await withSignal();
  await wakes(() => say(bug, '@engineer hello'));
  const row = found((await queue()).at(-1));
  const target = { ...auth, notificationId: row._id };
  expect(await wakes(() => t.action(service.markNotificationRead, target))).toBe(false);
  expect(await wakes(() => t.action(service.markNotificationDeliveryEnded, target))).toBe(false);
  expect(await wakes(() => t.action(service.markNotificationDelivered, target))).toBe(false);
  expect(await wakes(() => t.action(service.updateRuntimeStatus, { ...auth, status: 'online' }))).toBe(false);
  const beat = { ...auth, agentId: engineer, status: 'online' } as const;
  expect(await wakes(() => t.action(service.updateAgentHeartbeat, beat))).toBe(false);
  const toUser = {
    accountId: auth.accountId,
    type: 'member_added',
    recipientType: 'user',
    recipientId: 'demo-user',
    title: '',
    body: '',
    createdAt: row.createdAt + 1_000,
  } as const;
  expect(await wakes(() => t.run((ctx) => ctx.db.insert('notifications', toUser)))).toBe(false);
});

test('tells rows of the same millisecond apart, also one that moves to it', async () => {
  const { t, auth, engineer, wakes } = await withSignal();
  const row = {
    accountId: auth.accountId,
    type: 'thread_update',
    recipientType: 'agent',
    recipientId: engineer,
    title: '',
    body: '',
    createdAt: 9e12,
  } as const;
  const older = await t.run((ctx) => ctx.db.insert('notifications', { ...row, createdAt: 1 }));
  expect(await wakes(() => t.run((ctx) => ctx.db.insert('notifications', row)))).toBe(true);
  expect(await wakes(() => t.run((ctx) => ctx.db.insert('notifications', row)))).toBe(true);
  expect(
    await wakes(() => t.run((ctx) => ctx.db.patch('notifications', older, { createdAt: row.createdAt }))),
  ).toBe(true);
});

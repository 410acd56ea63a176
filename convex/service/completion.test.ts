/** The extensions that do in one transaction what takes several calls of the contract. */
import { expect, test } from 'vitest';
import { api } from '../_generated/api.js';
import type { Doc } from '../_generated/dataModel.js';
import { carrying, createBackend, found, service } from '../testing.setup.ts';

const { listWithContexts, beginDelivery, completeDelivery, reportStatus } = api.service.extensions;

const versionOf = ({ messageId, createdAt }: Doc<'notifications'>) => ({
  messageId: messageId ?? null,
  createdAt,
});

/** A thread that only the engineer follows. */
async function withUpdate() {
  const backend = await createBackend();
  const { t, auth, say, queue, bug, engineer } = backend;
  const next = async (): Promise<Doc<'notifications'>> =>
    found((await queue()).find((row) => row.recipientId === engineer && row.type === 'thread_update'));
  const replies = async () =>
    (await t.run((ctx) => ctx.db.query('messages').collect()))
      .filter(({ authorType, taskId }) => authorType === 'agent' && taskId === bug)
      .map(({ content }) => content);
  const complete = (row: Doc<'notifications'>, content: string | null, first = true) =>
    t.action(completeDelivery, {
      ...auth,
      notificationId: row._id,
      version: versionOf(row),
      reply: content === null ? null : { content, first, startsTask: false },
    });
  const stored = async (row: Doc<'notifications'>) =>
    found(await t.run((ctx) => ctx.db.get('notifications', row._id)));
  await t.action(service.createMessageFromAgent, { ...auth, taskId: bug, agentId: engineer, content: 'Hi' });
  await say(bug, 'one');
  return { ...backend, next, replies, complete, stored };
}

test('posts, and marks the row; the same again does nothing again', async () => {
  const { next, replies, complete, stored } = await withUpdate();
  const row = await next();
  expect(await complete(row, 'Done.')).toBeNull();
  const { deliveredAt } = await stored(row);
  expect(deliveredAt).toBeTypeOf('number');
  expect(await complete(row, 'Done.')).toBeNull();
  expect(await complete(row, 'Done.', false)).toBeNull();
  expect(await replies()).toEqual(['Hi', 'Done.']);
  expect(await stored(row)).toMatchObject({ deliveredAt });
});

test('a row that has moved is given back as it is, unmarked; each version is answered once', async () => {
  const { next, replies, complete, stored, say, bug } = await withUpdate();
  const row = await next();
  await say(bug, 'two');
  const moved = found(await complete(row, 'To one.'));
  expect(moved.notification).toMatchObject({ _id: row._id });
  expect(moved.message?.content).toBe('two');
  expect(moved.thread.map(({ content }) => content)).toContain('To one.');
  expect(await stored(row)).not.toHaveProperty('deliveredAt');
  await complete(row, 'To one.');
  expect(await complete(moved.notification, 'To two.', false)).toBeNull();
  expect(await complete(moved.notification, 'To two.', false)).toBeNull();
  expect(await replies()).toEqual(['Hi', 'To one.', 'To two.']);
});

test('with nothing to say it marks, unless the row has moved', async () => {
  const { next, replies, complete, stored, say, bug } = await withUpdate();
  const row = await next();
  await say(bug, 'two');
  expect(await complete(row, null)).not.toBeNull();
  expect(await complete(await next(), null)).toBeNull();
  expect((await stored(row)).deliveredAt).toBeTypeOf('number');
  expect(await replies()).toEqual(['Hi']);
});

test('a reply that was posted by the contract’s own function is not posted again', async () => {
  const { t, auth, next, replies, complete, bug, engineer } = await withUpdate();
  const row = await next();
  const message = { taskId: bug, agentId: engineer, content: 'Done.', sourceNotificationId: row._id };
  await t.action(service.createMessageFromAgent, { ...auth, ...message });
  expect(await complete(row, 'Done.')).toBeNull();
  expect(await replies()).toEqual(['Hi', 'Done.']);
});

test('all or nothing: a text that does not fit leaves the row as it is', async () => {
  const { next, complete, stored } = await withUpdate();
  const row = await next();
  await expect(complete(row, 'x'.repeat(100_001))).rejects.toMatchObject(
    carrying('INVALID', 'Message content too long (max 100000 characters)'),
  );
  expect(await stored(row)).not.toHaveProperty('deliveredAt');
});

test.each([
  [true, 'in_progress'],
  [false, 'assigned'],
])('an agent whose flag for it is %s leaves the assigned task %s', async (canModifyTaskStatus, status) => {
  const { t, auth, notes, engineer, patchTask, setFlags } = await withUpdate();
  await setFlags(engineer, { canModifyTaskStatus });
  await patchTask(notes, { status: 'assigned', assignedAgentIds: [engineer] });
  const notificationId = await t.run((ctx) =>
    ctx.db.insert('notifications', {
      accountId: auth.accountId,
      type: 'assignment',
      recipientType: 'agent',
      recipientId: engineer,
      taskId: notes,
      title: '',
      body: '',
      createdAt: 5,
    }),
  );
  const reply = { content: 'On it.', first: true, startsTask: true };
  const version = { messageId: null, createdAt: 5 };
  expect(await t.action(completeDelivery, { ...auth, notificationId, version, reply })).toBeNull();
  expect((await t.run((ctx) => ctx.db.get('tasks', notes)))?.status).toBe(status);
});

test('begins: the context, and the typing indicator; not for a row that is done', async () => {
  const { t, auth, next, complete, stored } = await withUpdate();
  const row = await next();
  const target = { ...auth, notificationId: row._id };
  const context = await t.action(beginDelivery, target);
  expect(context?.notification.readAt).toBeTypeOf('number');
  expect(context?.deliverySessionKey).toContain('engineer');
  await t.action(service.markNotificationDeliveryEnded, target);
  await complete(row, null);
  await t.action(beginDelivery, target);
  expect((await stored(row)).deliveryEndedAt).toBeTypeOf('number');
});

test('lists with the contexts of rows that can run: one for each session, none for those in hand', async () => {
  const { t, auth, queue, stored } = await withUpdate();
  const all = await queue();
  const take = (contexts: number, busy: string[] = []) =>
    t.action(listWithContexts, { ...auth, limit: 50, contexts, busy });
  expect((await take(0)).contexts).toEqual([]);
  const { notifications, contexts } = await take(20);
  expect(notifications.map(({ _id }) => _id)).toEqual(all.map(({ _id }) => _id));
  const sessions = all.map(({ recipientId, taskId }) => `${recipientId}/${taskId ?? ''}`);
  expect(contexts).toHaveLength(new Set(sessions).size);
  for (const { notification } of contexts) expect((await stored(notification)).readAt).toBeTypeOf('number');
  expect(
    (
      await take(
        20,
        all.map(({ _id }) => _id),
      )
    ).contexts,
  ).toEqual([]);
  expect((await take(1)).contexts.map(({ notification }) => notification._id)).toEqual([all[0]?._id]);
});

test('reports, and tells whether anything is asked', async () => {
  const { t, auth, person } = await withUpdate();
  const config = {
    dropletId: 'd',
    ipAddress: '127.0.0.1',
    openclawVersion: '1',
    runtimeServiceVersion: '1.0.0',
  };
  const report = (changes: Partial<typeof config> = {}) =>
    t.action(reportStatus, { ...auth, status: 'online', config: { ...config, ...changes } });
  expect(await report()).toEqual({ asked: false });
  await t.run((ctx) => ctx.db.patch('accounts', auth.accountId, { restartRequestedAt: 1 }));
  expect(await report()).toEqual({ asked: true });
  expect(await t.action(service.checkAndClearRestartRequested, auth)).toEqual({ restartRequested: true });
  const upgrade = { targetRuntimeVersion: '2.0.0', strategy: 'immediate' } as const;
  await t.action(api.demo.actions.requestUpgrade, { ...person, ...upgrade });
  expect(await report()).toEqual({ asked: true });
  expect(await report({ runtimeServiceVersion: '2.0.0' })).toEqual({ asked: false });
});

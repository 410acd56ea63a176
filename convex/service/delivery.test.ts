import { expect, test } from 'vitest';
import { carrying, createBackend, found, service } from '../testing.setup.ts';

async function withQueue(rows: number) {
  const backend = await createBackend();
  const ids = await backend.t.run(async (ctx) => {
    const made = [];
    for (let n = 0; n < rows; n++) {
      const row = {
        accountId: backend.auth.accountId,
        type: 'assignment',
        recipientType: 'agent',
        recipientId: backend.engineer,
        title: `row ${n}`,
        body: '',
        // The newest is inserted first.
        createdAt: rows - n,
      } as const;
      made.push(await ctx.db.insert('notifications', row));
    }
    return made.reverse();
  });
  return { ...backend, ids };
}

const list = async (backend: Awaited<ReturnType<typeof withQueue>>, limit?: number) =>
  (await backend.t.action(service.listUndeliveredNotifications, { ...backend.auth, limit })).map(
    ({ _id }) => _id,
  );

test('lists what agents have not got yet, oldest first', async () => {
  const backend = await withQueue(3);
  const [first, second, third] = backend.ids;
  await backend.t.action(service.markNotificationDelivered, {
    ...backend.auth,
    notificationId: found(second),
  });
  await backend.t.run((ctx) => ctx.db.patch('notifications', found(first), { recipientType: 'user' }));
  expect(await list(backend)).toEqual([third]);
});

test.each([
  [undefined, 100],
  [0, 1],
  [-5, 1],
  [2.9, 2],
  [1e6, 500],
])('reads the limit %s as %i', async (limit, expected) => {
  const backend = await withQueue(510);
  expect(await list(backend, limit)).toEqual(backend.ids.slice(0, expected));
});

test('marks: typing begins, ends, begins again; the first delivery stands', async () => {
  const backend = await withQueue(1);
  const target = { ...backend.auth, notificationId: found(backend.ids[0]) };
  const row = () => backend.t.run((ctx) => ctx.db.get('notifications', target.notificationId));

  expect(await backend.t.action(service.markNotificationRead, target)).toEqual({ success: true });
  const { readAt } = found(await row());
  expect(readAt).toBeTypeOf('number');
  await backend.t.action(service.markNotificationDeliveryEnded, target);
  expect(found(await row()).deliveryEndedAt).toBeTypeOf('number');
  await backend.t.action(service.markNotificationRead, target);
  expect(await row()).toMatchObject({ readAt });
  expect(await row()).not.toHaveProperty('deliveryEndedAt');

  await backend.t.run((ctx) => ctx.db.patch('notifications', target.notificationId, { deliveredAt: 7 }));
  await backend.t.action(service.markNotificationDelivered, target);
  await backend.t.action(service.markNotificationDeliveryEnded, target);
  expect(await row()).toMatchObject({ deliveredAt: 7 });
  expect(await row()).not.toHaveProperty('deliveryEndedAt');
});

test('does not know another account’s notification', async () => {
  const backend = await withQueue(1);
  const target = { ...backend.auth, notificationId: found(backend.ids[0]) };
  const accountId = await backend.addAccount();
  await backend.t.run((ctx) => ctx.db.patch('notifications', target.notificationId, { accountId }));
  expect(await backend.t.action(service.getNotificationForDelivery, target)).toBeNull();
  await expect(backend.t.action(service.markNotificationRead, target)).rejects.toMatchObject(
    carrying('NOT_FOUND', 'Not found: Notification does not exist'),
  );
});

test('posts once per source notification', async () => {
  const backend = await createBackend();
  await backend.say(backend.bug, '@engineer what is the cause?');
  const [source] = await backend.queue();
  const reply = {
    ...backend.auth,
    taskId: backend.bug,
    agentId: backend.engineer,
    content: 'A missing cookie.',
    sourceNotificationId: found(source)._id,
  };
  const first = await backend.t.action(service.createMessageFromAgent, reply);
  const after = await backend.queue();
  const again = await backend.t.action(service.createMessageFromAgent, {
    ...reply,
    content: 'Something else.',
  });
  expect(again).toEqual(first);
  expect(await backend.queue()).toEqual(after);

  const { thread } = await backend.t.action(service.loadTaskDetailsForAgentTool, {
    ...backend.auth,
    agentId: backend.engineer,
    taskId: backend.bug,
  });
  expect(thread.map(({ authorName, content }) => [authorName, content])).toEqual([
    ['Demo User', '@engineer what is the cause?'],
    ['Engineer', 'A missing cookie.'],
  ]);
});

test('refuses a message over 100,000 characters', async () => {
  const backend = await createBackend();
  const post = (length: number) =>
    backend.t.action(service.createMessageFromAgent, {
      ...backend.auth,
      taskId: backend.bug,
      agentId: backend.engineer,
      content: 'x'.repeat(length),
    });
  await expect(post(100_001)).rejects.toThrow('Message content too long (max 100000 characters)');
  await expect(post(100_000)).resolves.toHaveProperty('messageId');
});

test('gives all that a run needs', async () => {
  const backend = await createBackend();
  for (let n = 1; n <= 51; n++) await backend.say(backend.bug, `${n} ${'y'.repeat(2000)}`);
  const [row] = (await backend.queue()).filter(({ recipientId }) => recipientId === backend.engineer);
  const context = found(
    await backend.t.action(service.getNotificationForDelivery, {
      ...backend.auth,
      notificationId: found(row)._id,
    }),
  );
  expect(context).toMatchObject({
    notification: { type: 'thread_update', messageId: context.message?._id },
    agent: { slug: 'engineer' },
    task: { title: 'Fix the login bug' },
    sourceNotificationType: null,
    orchestratorAgentId: backend.lead,
    primaryUserMention: { id: 'demo-user', name: 'Demo User', email: 'demo@example.com' },
    assignedAgents: [{ slug: 'engineer' }],
    effectiveBehaviorFlags: { canModifyTaskStatus: true, canCreateTasks: false },
    repositoryDoc: { title: 'Repository — Primary' },
    globalBriefingDoc: null,
    taskOverview: null,
  });
  expect(context.mentionableAgents.map(({ slug }) => slug)).toEqual(['engineer', 'qa', 'squad-lead']);
  expect(context.thread.map(({ content }) => content.split(' ')[0])).toEqual(
    Array.from({ length: 50 }, (_, n) => String(n + 2)),
  );
  expect(context.thread[0]?.content).toHaveLength(2001);
  expect(context.thread[0]?.content.endsWith('…')).toBe(true);
});

test('tells what kind of notification a message answered', async () => {
  const backend = await createBackend();
  await backend.say(backend.bug, 'Any news?');
  const source = found((await backend.queue()).find(({ recipientId }) => recipientId === backend.engineer));
  await backend.t.action(service.createMessageFromAgent, {
    ...backend.auth,
    taskId: backend.bug,
    agentId: backend.engineer,
    content: 'Nearly there.',
    sourceNotificationId: source._id,
  });
  const toLead = found((await backend.queue()).find(({ recipientId }) => recipientId === backend.lead));
  const context = await backend.t.action(service.getNotificationForDelivery, {
    ...backend.auth,
    notificationId: toLead._id,
  });
  expect(context).toMatchObject({
    sourceNotificationType: 'thread_update',
    message: { authorType: 'agent' },
  });
});

test('shows the board in the orchestrator’s chat', async () => {
  const backend = await createBackend();
  await backend.say(backend.chat, 'How are we doing?');
  const row = found((await backend.queue())[0]);
  const context = found(
    await backend.t.action(service.getNotificationForDelivery, { ...backend.auth, notificationId: row._id }),
  );
  expect(context.globalBriefingDoc?.title).toBe('Account Briefing');
  expect(context.taskOverview?.totals).toEqual([
    { status: 'inbox', count: 2 },
    { status: 'assigned', count: 0 },
    { status: 'in_progress', count: 1 },
    { status: 'review', count: 0 },
    { status: 'blocked', count: 0 },
  ]);
  expect(context.taskOverview?.topTasks[0]?.tasks.map(({ title }) => title)).toEqual([
    'Check the sign-up form',
    'Write the release notes',
  ]);
});

test('survives a recipient that is gone', async () => {
  const backend = await withQueue(1);
  await backend.t.run((ctx) => ctx.db.delete('agents', backend.engineer));
  const context = found(
    await backend.t.action(service.getNotificationForDelivery, {
      ...backend.auth,
      notificationId: found(backend.ids[0]),
    }),
  );
  expect(context.agent).toBeNull();
  expect(context).not.toHaveProperty('deliverySessionKey');
});

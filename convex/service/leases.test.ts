/** Rows are lent to a runtime with the list. Where two runtimes work on an account, each row goes to one of them. */
import { expect, test } from 'vitest';
import { api } from '../_generated/api.js';
import { createBackend, found, service } from '../testing.setup.ts';

const { leaseNotifications, releaseNotifications, reportStatus } = api.service.extensions;

/** Five rows in three sessions: the engineer has two threads, one of them with three rows; the lead has one. */
async function withRows() {
  const backend = await createBackend();
  const { t, auth, say, queue, bug, notes, chat } = backend;
  for (const row of await queue()) {
    await t.action(service.markNotificationDelivered, { ...auth, notificationId: row._id });
  }
  for (const task of [bug, notes, bug, bug]) await say(task, '@engineer please look');
  await say(chat, 'hello');
  const rows = await queue();
  const lease = async (holder: string, limit = 100) => {
    const page = await t.action(leaseNotifications, { ...auth, limit, contexts: 0, busy: [], holder });
    return { ids: page.notifications.map(({ _id }) => _id), others: page.others };
  };
  return {
    ...backend,
    ids: rows.map(({ _id }) => _id),
    idsIn: (task: string) => rows.filter(({ taskId }) => taskId === task).map(({ _id }) => _id),
    lease,
    release: (holder: string, keep: string[]) =>
      t.action(releaseNotifications, { ...auth, holder, keep: keep }),
    report: (holder: string, status: 'online' | 'offline') =>
      t.action(reportStatus, { ...auth, holder, status }),
    status: () => t.run(async (ctx) => found(await ctx.db.get('accounts', auth.accountId)).runtimeStatus),
    /** As if nothing had been heard of the holder for 90 s. */
    fallSilent: (name: string) =>
      t.run(async (ctx) => {
        const holders = await ctx.db.query('leaseHolders').collect();
        const { _id } = found(holders.find((holder) => holder.name === name));
        await ctx.db.patch('leaseHolders', _id, { expiresAt: Date.now() - 1 });
      }),
  };
}

test('one runtime is lent everything, as often as it asks', async () => {
  const { ids, lease } = await withRows();
  expect(await lease('a')).toEqual({ ids, others: 0 });
  expect(await lease('a')).toEqual({ ids, others: 0 });
});

test('what is lent to one is not listed to the other, and both learn of each other', async () => {
  const { ids, lease } = await withRows();
  await lease('a');
  expect(await lease('b')).toEqual({ ids: [], others: 1 });
  expect(await lease('a')).toEqual({ ids, others: 1 });
});

test('a session is lent as a whole: what comes later goes to the same runtime', async () => {
  const { ids, idsIn, bug, say, queue, lease } = await withRows();
  expect((await lease('a', 1)).ids).toEqual([ids[0]]);
  const elsewhere = ids.filter((id) => !idsIn(bug).includes(id));
  expect((await lease('b')).ids).toEqual(elsewhere);
  await say(bug, '@engineer one more');
  const latest = found((await queue()).at(-1))._id;
  expect((await lease('b')).ids).toEqual(elsewhere);
  expect((await lease('a')).ids).toEqual([...idsIn(bug), latest]);
});

test('a page is filled with rows from behind those that are lent', async () => {
  const { ids, idsIn, bug, lease } = await withRows();
  await lease('a', 1);
  const [first] = ids.filter((id) => !idsIn(bug).includes(id));
  expect((await lease('b', 1)).ids).toEqual([first]);
});

test('rows that are given back are free at once, those that are kept are not', async () => {
  const { ids, idsIn, notes, lease, release } = await withRows();
  await lease('a');
  const kept = idsIn(notes);
  await release('a', kept);
  expect((await lease('b')).ids).toEqual(ids.filter((id) => !kept.includes(id)));
});

test('the rows of a runtime that is not heard of any more are free', async () => {
  const { ids, lease, fallSilent } = await withRows();
  await lease('a');
  await fallSilent('a');
  expect(await lease('b')).toEqual({ ids, others: 0 });
  // It was only slow. What it had begun it ends, and the rest is the other's now.
  expect(await lease('a')).toEqual({ ids: [], others: 1 });
});

test('a report keeps what is lent, and says whether another runtime is at work', async () => {
  const { lease, report } = await withRows();
  await lease('a');
  expect(await report('b', 'online')).toMatchObject({ others: 1 });
  expect((await lease('b')).ids).toEqual([]);
});

test('one that leaves frees its rows, and the account is offline only with the last', async () => {
  const { ids, lease, report, status } = await withRows();
  await report('a', 'online');
  await report('b', 'online');
  await lease('a');
  await report('a', 'offline');
  expect(await status()).toBe('online');
  expect(await lease('b')).toEqual({ ids, others: 0 });
  await report('b', 'offline');
  expect(await status()).toBe('offline');
});

test('a runtime that does not name itself reports as before', async () => {
  const { t, auth } = await withRows();
  expect(await t.action(reportStatus, { ...auth, status: 'online' })).toEqual({ asked: false });
});

test('the contexts of what is lent come along, with typing indicators', async () => {
  const { t, auth, ids, lease } = await withRows();
  await lease('a', 1);
  const page = await t.action(leaseNotifications, { ...auth, contexts: 5, busy: [], holder: 'b' });
  expect(page.contexts.map(({ notification }) => notification._id)).toEqual([ids[1], ids[4]]);
  expect(page.contexts.every(({ notification }) => notification.readAt !== undefined)).toBe(true);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { began, NOTHING_KNOWN, posted, replied } from '../../machines/notification/entry.ts';
import { versionOf } from '../../machines/notification/version.ts';
import type { Page } from '../../machines/delivery/context.ts';
import type { NotificationRow } from '../../machines/shared/mission-control.ts';
import { startContractBackend, type ContractBackend } from '../../test/kits/contract-backend/spawn.ts';
import { openTestStore } from '../../test/kits/store.ts';
import { createMissionControl } from '../mission-control/mission-control.ts';
import type { Store } from '../journal/store.ts';
import type { Log } from '../logging/log.ts';
import { createEntries, type Entries } from './entries.ts';
import { createListUndelivered } from './list.ts';

let dir: string;
let store: Store;
let entries: Entries;
let backend: ContractBackend;
let missionControl: ReturnType<typeof createMissionControl>;
let taskId: string;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'list-'));
  ({ store } = openTestStore(dir));
  entries = createEntries(store);
  backend = await startContractBackend();
  await backend.addAgents([{ slug: 'engineer' }]);
  [taskId = ''] = await backend.createTasks({ assignees: ['engineer'] });
  missionControl = createMissionControl({ ...backend, maxConcurrent: 1 });
});
afterEach(async () => {
  store.close();
  rmSync(dir, { recursive: true });
  await missionControl.close();
  await backend.close();
});

const ignore = (): void => undefined;
const silent: Log = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  isDebug: false,
  child: () => silent,
  flush: () => Promise.resolve(),
};

const list = async (limit = 10): Promise<readonly NotificationRow[]> =>
  (await look(limit)).rows.map(({ row }) => row);
const look = (limit = 10, cursor: string | null = null): Promise<Page> =>
  createListUndelivered({ missionControl, entries, log: silent })({
    input: { limit, contexts: 0, busy: [], cursor },
    signal: new AbortController().signal,
  });
const types = async (): Promise<string[]> => (await list()).map(({ type }) => type);

async function threadUpdate(): Promise<NotificationRow> {
  await backend.post({ taskIds: [taskId], content: 'news' });
  const row = (await list()).find(({ type }) => type === 'thread_update');
  if (row === undefined) throw new Error('nobody was told');
  return row;
}

test('brings back a row that took a newer message in before its mark, until that is answered', async () => {
  const first = await threadUpdate();
  entries.keep(first._id, posted(NOTHING_KNOWN, versionOf(first)));
  const second = await threadUpdate();
  await missionControl.markDelivered(first._id);
  expect(await types()).toEqual(['assignment', 'thread_update']);

  entries.keep(first._id, posted(NOTHING_KNOWN, versionOf(second)));
  expect(await types()).toEqual(['assignment']);
  expect(entries.unfinished()).toEqual([]);
});

test('brings back a marked row whose reply is still to be posted', async () => {
  const row = await threadUpdate();
  entries.keep(row._id, replied(NOTHING_KNOWN, { text: 'Done', toolCalls: 0 }, versionOf(row)));
  await missionControl.markDelivered(row._id);
  expect(await types()).toEqual(['assignment', 'thread_update']);
});

test('leaves what waits behind the page where it is, and forgets what is gone', async () => {
  const { _id } = await threadUpdate();
  entries.keep(_id, began(NOTHING_KNOWN));
  entries.keep('gone', began(NOTHING_KNOWN));
  expect(await list(1)).toHaveLength(1);
  expect(entries.unfinished()).toEqual([_id]);
});

test('lists the others when one cannot be looked at', async () => {
  const row = await threadUpdate();
  entries.keep(row._id, began(NOTHING_KNOWN));
  await missionControl.markDelivered(row._id);
  await backend.setFaults([{ name: 'getNotificationForDelivery', mode: 'error' }]);
  const { rows, unseen } = await look();
  expect(rows.map(({ row: { type } }) => type)).toEqual(['assignment']);
  // No change of the queue will tell of it: the next look is to come soon.
  expect(unseen).toBe(true);
  expect(entries.unfinished()).toEqual([row._id]);
  await backend.setFaults([]);
  expect((await look()).unseen).toBe(false);
});

test('brings a row whose reply is still to be posted before its page', async () => {
  const row = await threadUpdate();
  entries.keep(row._id, replied(NOTHING_KNOWN, { text: 'Done', toolCalls: 0 }, versionOf(row)));
  expect((await list(1)).map(({ type }) => type)).toEqual(['assignment', 'thread_update']);
});

test('gives all of a long journal their turn', async () => {
  for (let n = 0; n < 30; n += 1) entries.keep(`gone ${n}`, began(NOTHING_KNOWN));
  let cursor: string | null = null;
  const call = async () => {
    const page = await look(10, cursor);
    ({ cursor } = page);
    return page;
  };
  await backend.setFaults([{ name: 'getNotificationForDelivery', mode: 'error', count: 20 }]);
  expect((await call()).unseen).toBe(true);
  expect((await call()).unseen).toBe(true);
  expect((await call()).unseen).toBe(false);
  expect(entries.unfinished()).toEqual([]);
});

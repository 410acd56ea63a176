import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createActor, toPromise, type AnyActorLogic, type InputFrom, type OutputFrom } from 'xstate';
import { isOwed, versionOf } from '../../machines/lane/context.ts';
import type { NotificationRow } from '../../machines/shared/mission-control.ts';
import { aReply } from '../../test/kits/gateway-server.ts';
import { startContractBackend, type ContractBackend } from '../../test/kits/contract-backend/spawn.ts';
import { openTestStore } from '../../test/kits/store.ts';
import { createMissionControl } from '../mission-control/mission-control.ts';
import type { Log } from '../logging/log.ts';
import { Fault } from '../../machines/shared/fault.ts';
import { createEntries } from '../journal/entries.ts';
import type { Store } from '../journal/store.ts';
import type { Gateway, Journal, MissionControl } from '../ports.ts';
import { createLaneActors } from './lane.ts';
import type { PostTiming } from './second-post.ts';
import { createPrefetched } from './prefetched.ts';
import { createSessionLock } from './session-lock.ts';

let dir: string;
let store: Store;
let journal: Journal;
let backend: ContractBackend;
let missionControl: MissionControl & { close(): Promise<void> };
let taskId: string;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lane-'));
  ({ store } = openTestStore(dir));
  journal = createEntries(store);
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

const noGateway: Gateway = {
  respond: () => Promise.reject(new Error('no run is expected')),
  probe: () => Promise.reject(new Error('no probe is expected')),
  close: () => Promise.resolve(),
};

const actorsWith = (gateway: Gateway, timing?: PostTiming) =>
  createLaneActors(
    {
      missionControl,
      gateway,
      journal,
      sessions: createSessionLock(),
      prefetched: createPrefetched(),
      log: silent,
      countRun: ignore,
    },
    timing,
  );

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

function play<TLogic extends AnyActorLogic>(
  logic: TLogic,
  input: InputFrom<TLogic>,
): Promise<OutputFrom<TLogic>> {
  const actor = createActor(logic, { input });
  const output = toPromise(actor);
  actor.start();
  return output;
}

/** A plain message makes a thread update, or is coalesced into the one that waits. */
async function say(content: string): Promise<NotificationRow> {
  await backend.post({ taskIds: [taskId], content });
  const row = (await missionControl.listUndelivered(10)).find(({ type }) => type === 'thread_update');
  if (row === undefined) throw new Error('nobody was told');
  return row;
}

const replies = async (): Promise<string[]> =>
  (await backend.dump()).messages
    .filter(({ authorType }) => authorType === 'agent')
    .map(({ content }) => content);

test('a row that took a newer message in right before the mark is given back, and not forgotten', async () => {
  const { markDelivered } = actorsWith(noGateway);
  const version = versionOf(await say('one'));
  const { _id: notificationId, messageId } = await say('two');
  journal.beginAttempt(notificationId);

  const after = await play(markDelivered, { notificationId, version, next: null });
  expect(after?.notification).toMatchObject({ messageId });
  expect(after?.notification.deliveredAt).toBeTypeOf('number');
  expect(journal.read(notificationId)).not.toBeNull();

  const last = after && versionOf(after.notification);
  expect(await play(markDelivered, { notificationId, version: last, next: null })).toBeNull();
  expect(journal.read(notificationId)).toBeNull();
});

test('a row that is skipped and takes a newer message in right before its mark is remembered', async () => {
  const row = await say('one');
  const skipped = versionOf(row);
  const moved = await say('two');
  // Marked, and no answer: as for a process that dies before it can look.
  await backend.setFaults([{ name: 'markNotificationDelivered', mode: 'lost', count: 1 }]);
  const { markDelivered } = actorsWith(noGateway);
  const marking = play(markDelivered, { notificationId: row._id, version: skipped, next: null });
  await expect(marking).rejects.toMatchObject({ kind: 'backendUnavailable' });
  const entry = journal.read(row._id);
  expect(entry && isOwed(moved, entry)).toBe(true);
});

test.for([
  { content: '@engineer one', type: 'mention', kept: true },
  { content: 'one', type: 'thread_update', kept: false },
])('a reply to a $type is kept until its mark: $kept; posted again, it stands there once', async (the) => {
  await backend.post({ taskIds: [taskId], content: the.content });
  const row = (await missionControl.listUndelivered(10)).find(({ type }) => type === the.type);
  if (row === undefined) throw new Error('nobody was told');
  const version = versionOf(row);
  journal.saveReply(row._id, { text: 'Done', toolCalls: 0 }, version);
  const { postMessage, markDelivered } = actorsWith(noGateway);
  const post = { row, version, content: 'Done', withSource: true, quiet: false, startsTask: false };
  await play(postMessage, { ...post, after: null });
  expect(journal.read(row._id)?.reply != null).toBe(the.kept);
  await play(postMessage, { ...post, after: null });
  expect(await replies()).toEqual(['Done']);
  await play(markDelivered, { notificationId: row._id, version: null, next: null });
  expect(journal.read(row._id)).toBeNull();
});

/** Posts a second reply to the row. @returns settles with the post */
async function postSecond(row: NotificationRow, content: string, settlesAfterMs = 2_000): Promise<void> {
  const { postMessage } = actorsWith(noGateway, { settlesAfterMs, lookEveryMs: 50 });
  const thread = (await missionControl.loadContext(row._id))?.thread;
  const after = thread?.at(-1)?.messageId ?? null;
  const input = { withSource: false, quiet: false, startsTask: false };
  await play(postMessage, { ...input, row, version: versionOf(row), content, after });
}

test('a second reply whose post got no answer is looked for before it is posted again', async () => {
  const row = await say('one');
  const content = 'y'.repeat(3_000);
  await backend.setFaults([{ name: 'createMessageFromAgent', mode: 'lost', count: 1 }]);
  await expect(postSecond(row, content)).rejects.toMatchObject({ kind: 'backendUnavailable' });
  await postSecond(row, content);
  expect(await replies()).toEqual([content]);
  expect(journal.read(row._id)).toMatchObject({ posts: 1, reply: null, begun: null });
});

test('a second reply is not taken for an earlier one that says the same', async () => {
  const row = await say('one');
  await postSecond(row, 'Done');
  await backend.setFaults([{ name: 'createMessageFromAgent', mode: '500', count: 1 }]);
  await expect(postSecond(row, 'Done', 0)).rejects.toMatchObject({ kind: 'backendUnavailable' });
  await postSecond(row, 'Done', 0);
  expect(await replies()).toEqual(['Done', 'Done']);
});

test('a post of a process that died may still arrive: it is waited for, and not made again', async () => {
  const row = await say('one');
  await backend.setFaults([{ name: 'createMessageFromAgent', mode: 'slow', delayMs: 400, count: 1 }]);
  const thread = (await missionControl.loadContext(row._id))?.thread;
  journal.beginPost(row._id, thread?.at(-1)?.messageId ?? null);
  const underWay = missionControl.postMessage({ taskId, agentId: row.recipientId, content: 'Done' });
  await postSecond(row, 'Done');
  await underWay;
  expect(await replies()).toEqual(['Done']);
});

test('a run starts, and a reply is passed on, when a power cut cannot take the journal back', async () => {
  const row = await say('one');
  const delivery = await missionControl.loadContext(row._id);
  const steps: string[] = [];
  const disk = journal;
  journal = {
    ...disk,
    synced: async () => {
      await disk.synced();
      steps.push('synced');
    },
  };
  const gateway: Gateway = {
    ...noGateway,
    respond: async ({ onReply }) => {
      steps.push('run');
      const reply = aReply();
      await onReply?.(reply);
      steps.push('passed on');
      return reply;
    },
  };
  await play(actorsWith(gateway).runAgent, { delivery, trial: false, startsOver: false });
  expect(steps).toEqual(['synced', 'run', 'synced', 'passed on']);
});

test('a run whose attempt cannot be synced does not start and is not counted; a reply that cannot be is kept', async () => {
  const row = await say('one');
  const delivery = await missionControl.loadContext(row._id);
  const disk = journal;
  const outcomes = [Promise.reject<undefined>(new Fault('journalUnavailable', 'The disk is gone.'))];
  journal = { ...disk, synced: () => outcomes.shift() ?? disk.synced() };
  const { runAgent } = actorsWith({
    ...noGateway,
    respond: async ({ onReply }) => {
      outcomes.push(Promise.reject(new Fault('journalUnavailable', 'The disk is gone.')));
      const reply = aReply();
      await onReply?.(reply);
      return reply;
    },
  });
  await expect(play(runAgent, { delivery, trial: false, startsOver: false })).rejects.toThrow(
    'The disk is gone.',
  );
  expect(disk.read(row._id)?.attempts).toBe(0);
  const { attempts } = await play(runAgent, { delivery, trial: false, startsOver: false });
  expect([attempts, disk.read(row._id)?.reply?.text]).toEqual([1, 'Done']);
});

test('a reply is in the journal before its socket is released', async () => {
  const row = await say('one');
  const delivery = await missionControl.loadContext(row._id);
  const kept: unknown[] = [];
  const gateway: Gateway = {
    ...noGateway,
    respond: async ({ onReply }) => {
      const reply = aReply();
      await onReply?.(reply);
      kept.push(journal.read(row._id)?.reply?.text);
      return reply;
    },
  };
  const { attempts, reply } = await play(actorsWith(gateway).runAgent, {
    delivery,
    trial: false,
    startsOver: false,
  });
  expect([attempts, reply.text, kept]).toEqual([1, 'Done', ['Done']]);
});

test('the next row of the session is read while this one is marked, with the answer to this one in its thread', async () => {
  const { loadJob, markDelivered } = actorsWith(noGateway);
  await backend.post({ taskIds: [taskId], content: '@engineer number {n}', count: 2 });
  const [first, second] = await missionControl.listUndelivered(10);
  if (first === undefined || second === undefined) throw new Error('two mentions are two rows');
  const [agentId, notificationId] = [first.recipientId, first._id];
  const reply = { taskId, agentId, content: 'Done', sourceNotificationId: notificationId };
  await missionControl.postMessage(reply);
  await backend.forgetCalls();

  await play(markDelivered, { notificationId, version: null, next: second._id });
  const { delivery } = await play(loadJob, { notificationId: second._id });
  expect(delivery?.notification._id).toBe(second._id);
  expect(delivery?.thread.at(-1)?.content).toBe('Done');
  expect(await backend.calls()).toMatchObject({ getNotificationForDelivery: { calls: 1 } });
});

test('a next row that cannot be read holds nothing up, and is read again in its turn', async () => {
  const { loadJob, markDelivered } = actorsWith(noGateway);
  await backend.post({ taskIds: [taskId], content: '@engineer number {n}', count: 2 });
  const [first, second] = await missionControl.listUndelivered(10);
  if (first === undefined || second === undefined) throw new Error('two mentions are two rows');
  await backend.setFaults([{ name: 'getNotificationForDelivery', mode: '500', count: 1 }]);

  expect(
    await play(markDelivered, { notificationId: first._id, version: null, next: second._id }),
  ).toBeNull();
  const { delivery } = await play(loadJob, { notificationId: second._id });
  expect(delivery?.notification._id).toBe(second._id);
});

test('for a newer message the attempts of an older one, and a silence for it, go before the run', async () => {
  const row = await say('one');
  const delivery = await missionControl.loadContext(row._id);
  for (let n = 0; n < 4; n += 1) journal.beginAttempt(row._id);
  journal.saveReply(row._id, { text: 'HEARTBEAT_OK', toolCalls: 0 }, versionOf(row));
  const known: unknown[] = [];
  const respond: Gateway['respond'] = () => {
    known.push(journal.read(row._id));
    return Promise.resolve(aReply());
  };
  await play(actorsWith({ ...noGateway, respond }).runAgent, { delivery, trial: false, startsOver: true });
  expect(known).toMatchObject([{ attempts: 1, reply: null }]);
});

test.for(['disk', 'socket'])(
  'a run that is cut off while it waits for its %s is taken back at once',
  async (what) => {
    const row = await say('one');
    const delivery = await missionControl.loadContext(row._id);
    const disk = journal;
    const reached = Promise.withResolvers<void>();
    const hang = (): Promise<never> => {
      reached.resolve();
      return new Promise(ignore);
    };
    if (what === 'disk') journal = { ...disk, synced: hang };
    const { runAgent } = actorsWith({ ...noGateway, respond: hang });
    const run = createActor(runAgent, { input: { delivery, trial: false, startsOver: false } }).start();
    await reached.promise;
    expect(disk.read(row._id)?.attempts).toBe(1);
    run.stop();
    // The next thing that a process does may be to close the journal.
    expect(disk.read(row._id)?.attempts).toBe(0);
  },
);

test('a reply that is kept is not taken back when its lane is cut off then', async () => {
  const row = await say('one');
  const delivery = await missionControl.loadContext(row._id);
  const kept = Promise.withResolvers<void>();
  const respond: Gateway['respond'] = async ({ onReply }) => {
    await onReply?.(aReply());
    kept.resolve();
    return new Promise(ignore);
  };
  const { runAgent } = actorsWith({ ...noGateway, respond });
  const run = createActor(runAgent, { input: { delivery, trial: false, startsOver: false } }).start();
  await kept.promise;
  run.stop();
  expect(journal.read(row._id)).toMatchObject({ attempts: 1, reply: { text: 'Done' } });
});

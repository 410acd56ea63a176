import { beforeEach, expect, test } from 'vitest';
import type { OtherRuntimeSign } from '../../machines/other-runtime/machine.ts';
import type { DeliveryContext, NotificationRow } from '../../machines/shared/mission-control.ts';
import type { MissionControl } from '../ports.ts';
import { watchForOthers } from './others.ts';

type Part = Partial<NotificationRow>;

let rows: NotificationRow[] = [];
let others: number | null = null;
let calls: string[] = [];
let signs: OtherRuntimeSign[] = [];

const row = (_id: string, part: Part = {}): NotificationRow => ({
  _id,
  type: 'mention',
  recipientType: 'agent',
  recipientId: 'a1',
  title: '',
  body: '',
  createdAt: 1,
  ...part,
});

const find = (id: string) => ({ notification: rows.find(({ _id }) => _id === id) }) as DeliveryContext;

const record = (name: string) => (id: string) => {
  calls.push(`${name} ${id}`);
  return Promise.resolve();
};

const backend = {
  listWithContexts: () => Promise.resolve({ rows, contexts: [], others }),
  beginDelivery: (id: string) => Promise.resolve({ delivery: find(id), typing: false }),
  loadContext: (id: string) => Promise.resolve(find(id)),
  markRead: record('read'),
  markDeliveryEnded: record('ended'),
  markDelivered: record('delivered'),
} as unknown as MissionControl;

let watched = backend;
const list = () => watched.listWithContexts({ limit: 10, contexts: 0, busy: [] });
const seen = () => signs.flatMap((sign) => (sign.type === 'otherRuntime.sighted' ? sign.row : []));

beforeEach(() => {
  [rows, others, calls, signs] = [[], null, [], []];
  watched = watchForOthers(backend, (sign) => signs.push(sign));
});

test('a row that comes and is read, and was not taken here, is a sign', async () => {
  await list();
  rows = [row('a', { readAt: 5 }), row('b')];
  await list();
  expect(seen()).toEqual(['a']);
});

test('what was read before the first list may be of an earlier process', async () => {
  rows = [row('a', { readAt: 5 })];
  await list();
  rows = [...rows, row('b', { readAt: 4 }), row('c', { readAt: 6 })];
  await list();
  expect(seen()).toEqual(['c']);
});

test('what was taken here is no sign', async () => {
  rows = [row('a')];
  await list();
  await watched.beginDelivery('a');
  rows = [row('a', { readAt: 5 })];
  await list();
  expect(seen()).toEqual([]);
});

test('a row that is read before its context is loaded here is a sign', async () => {
  rows = [row('a')];
  await list();
  rows = [row('a', { readAt: 5 })];
  await watched.beginDelivery('a');
  await watched.beginDelivery('a');
  expect(seen()).toEqual(['a']);
});

test('a row that is delivered and was not marked here is a sign', async () => {
  rows = [row('a'), row('b')];
  await list();
  await watched.markDelivered('b');
  rows = [row('a', { deliveredAt: 7 }), row('b', { deliveredAt: 7 })];
  await watched.beginDelivery('a');
  await watched.loadContext('b');
  // The journal knows it from an earlier process.
  rows = [row('c', { deliveredAt: 7 })];
  await watched.loadContext('c');
  expect(seen()).toEqual(['a']);
});

test('the slower one answers with the typing indicator, and the quicker one sees that', async () => {
  await list();
  rows = [row('a', { readAt: 5 })];
  await list();
  await watched.beginDelivery('a');
  await watched.markRead('a');
  await watched.markRead('a');
  expect(calls).toEqual(['read a', 'ended a', 'read a']);

  signs = [];
  watched = watchForOthers(backend, (sign) => signs.push(sign));
  rows = [row('b')];
  await list();
  await watched.beginDelivery('b');
  await watched.markRead('b');
  rows = [row('b', { readAt: 5, deliveryEndedAt: 6 })];
  await list();
  expect(seen()).toEqual(['b']);
});

test('the end of typing that was told here is no sign', async () => {
  rows = [row('b')];
  await list();
  await watched.markRead('b');
  await watched.markDeliveryEnded('b');
  rows = [row('b', { readAt: 5, deliveryEndedAt: 6 })];
  await list();
  expect(seen()).toEqual([]);
});

test('the end of typing that reaches Convex after the next run has begun is no sign', async () => {
  rows = [row('a'), row('b')];
  await list();
  await watched.beginDelivery('a');
  const arrived = Promise.withResolvers<void>();
  const late: MissionControl = { ...backend, markDeliveryEnded: () => arrived.promise };
  const slow = watchForOthers(late, (sign) => signs.push(sign));
  await slow.listWithContexts({ limit: 10, contexts: 0, busy: [] });
  const ended = slow.markDeliveryEnded('a');
  await slow.markRead('a');
  arrived.resolve();
  await ended;
  watched = slow;
  rows = [row('a', { readAt: 5, deliveryEndedAt: 6 })];
  await list();
  expect(seen()).toEqual([]);
});

test('a backend that lends rows says itself who else is at work: rows are no signs', async () => {
  others = 0;
  await list();
  rows = [row('a', { readAt: 5 })];
  await list();
  expect(seen()).toEqual([]);
});

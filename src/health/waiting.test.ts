import { expect, test } from 'vitest';
import type { NotificationRow } from '../../machines/shared/mission-control.ts';
import type { MissionControl } from '../ports.ts';
import { createWaiting } from './waiting.ts';

const row = (id: string, createdAt: number) => ({ _id: id, createdAt }) as NotificationRow;

/** A minute in which two notifications came and are answered. */
function scene() {
  let [now, rows] = [60_000, [row('a', 10_000), row('b', 20_000)]];
  const latencies: number[] = [];
  const waiting = createWaiting(
    (seconds) => latencies.push(seconds),
    () => now,
  );
  const missionControl = waiting.watch({
    listUndelivered: () => Promise.resolve(rows),
    postMessage: () => Promise.resolve('m'),
    markDelivered: () => Promise.resolve(),
    completeDelivery: () => Promise.resolve(null),
  } as unknown as MissionControl);
  return {
    latencies,
    waiting,
    missionControl,
    at: (ms: number) => (now = ms),
    list: (next: NotificationRow[]) => (rows = next),
  };
}

test('the oldest that is not answered gives the age, and none gives 0', async () => {
  const { waiting, missionControl, at, list } = scene();
  expect(waiting.oldestSeconds()).toBe(0);
  await missionControl.listUndelivered(50);
  expect(waiting.oldestSeconds()).toBe(50);
  await missionControl.markDelivered('a');
  expect(waiting.oldestSeconds()).toBe(40);
  at(65_000);
  expect(waiting.oldestSeconds()).toBe(45);
  // Somebody else has answered the other one.
  list([]);
  await missionControl.listUndelivered(50);
  expect(waiting.oldestSeconds()).toBe(0);
});

test('a full page may not have all: what it lacks still waits', async () => {
  const { waiting, missionControl, list } = scene();
  await missionControl.listUndelivered(50);
  list([row('b', 20_000)]);
  await missionControl.listUndelivered(1);
  expect(waiting.oldestSeconds()).toBe(50);
});

test('a reply took from the creation of its notification to its post', async () => {
  const { latencies, missionControl } = scene();
  await missionControl.listUndelivered(50);
  await missionControl.postMessage({
    taskId: 't',
    agentId: 'x',
    content: 'Done.',
    sourceNotificationId: 'a',
  });
  const version = { messageId: null, createdAt: 20_000 };
  const reply = { content: 'Done.', first: true, startsTask: false };
  await missionControl.completeDelivery({ notificationId: 'b', version, reply });
  await missionControl.completeDelivery({ notificationId: 'c', version, reply: null });
  expect(latencies).toEqual([50, 40]);
});

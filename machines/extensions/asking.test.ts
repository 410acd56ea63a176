import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { expect, test } from 'vitest';
import { createListener, settle } from '../../test/kits/samples/mission-control.ts';
import { extensionsMachine, type ExtensionsNews } from './machine.ts';

const HOUR_MS = 3_600_000;

test('a backend with the contract alone is asked once per start, and then once a day', async () => {
  let asked = 0;
  const clock = new SimulatedClock();
  const machine = extensionsMachine.provide({
    actors: {
      askExtensions: fromPromise<readonly string[]>(() => {
        asked += 1;
        return Promise.resolve([]);
      }),
    },
  });
  const { parent, heard } = createListener<ExtensionsNews>();
  const input = { parent, wakeUp: true, backend: { baseMs: 5_000, capMs: 60_000 }, random: () => 0.5 };
  const actor = createActor(machine, { clock, input }).start();
  await settle();
  expect([asked, actor.getSnapshot().value]).toEqual([1, 'absent']);

  const askedByDay: number[] = [];
  for (let day = 0; day < 3; day += 1) {
    for (let hour = 0; hour < 24; hour += 1) {
      // Neither the backend's recovery nor anything else that happens in an hour asks it again.
      actor.send({ type: 'backend.available' });
      clock.increment(HOUR_MS);
      await settle();
    }
    askedByDay.push(asked);
  }
  expect(askedByDay).toEqual([2, 3, 4]);
  expect(heard.slice(0, 2)).toEqual([
    { type: 'extensions.known', functions: [] },
    { type: 'extensions.asked' },
  ]);
  expect(heard.filter(({ type }) => type === 'extensions.known')).toHaveLength(1);
  actor.stop();
});

test('a function that failed without a reason is offered no more, until the backend offers it again', async () => {
  const machine = extensionsMachine.provide({
    actors: {
      askExtensions: fromPromise<readonly string[]>(() => Promise.resolve(['beginDelivery', 'other'])),
    },
  });
  const { parent, heard } = createListener<ExtensionsNews>();
  const input = { parent, wakeUp: false, backend: { baseMs: 5_000, capMs: 60_000 }, random: () => 0.5 };
  const actor = createActor(machine, { clock: new SimulatedClock(), input }).start();
  await settle();
  actor.send({ type: 'extension.failed', name: 'beginDelivery' });
  actor.send({ type: 'extension.failed', name: 'beginDelivery' });
  actor.send({ type: 'backend.available' });
  await settle();
  const known = heard.flatMap((news) => (news.type === 'extensions.known' ? [news.functions] : []));
  expect(known).toEqual([['beginDelivery', 'other'], ['other'], ['beginDelivery', 'other']]);
  actor.stop();
});

test('it is asked again after a day also while the queue is watched', async () => {
  let asked = 0;
  const machine = extensionsMachine.provide({
    actors: {
      askExtensions: fromPromise<readonly string[]>(() => {
        asked += 1;
        return Promise.resolve(['wakeUp', 'leaseNotifications']);
      }),
    },
  });
  const { parent, heard } = createListener<ExtensionsNews>();
  const clock = new SimulatedClock();
  const input = { parent, wakeUp: true, backend: { baseMs: 5_000, capMs: 60_000 }, random: () => 0.5 };
  const actor = createActor(machine, { clock, input }).start();
  // Nothing is known yet: nothing can be taken back.
  actor.send({ type: 'extension.failed', name: 'leaseNotifications' });
  await settle();
  actor.send({ type: 'watch.began' });
  actor.send({ type: 'extension.failed', name: 'leaseNotifications' });
  clock.increment(24 * HOUR_MS);
  await settle();
  expect(asked).toBe(2);
  const known = heard.flatMap((news) => (news.type === 'extensions.known' ? [news.functions] : []));
  expect(known).toEqual([['leaseNotifications', 'wakeUp'], ['wakeUp'], ['leaseNotifications', 'wakeUp']]);
  actor.stop();
});

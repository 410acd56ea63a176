/** Rows that cannot go now stand at the head of the list: the page grows beyond them, up to the backend's 500. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock, type InputFrom, type OutputFrom } from 'xstate';
import type { notificationActors } from '../notification/actors.ts';
import { notificationMachine } from '../notification/machine.ts';
import { Fault } from '../shared/fault.ts';
import { createListener, sampleRow, settle } from '../../test/kits/samples/mission-control.ts';
import type { DeliveryNews, ListInput, Page } from './context.ts';
import { deliveryInput } from '../../test/kits/delivery-input.ts';
import { deliveryMachine } from './machine.ts';

type Read = (typeof notificationActors)['readContext'];

const LIMITS = { baseMs: 60_000, capMs: 60_000 };

/** Delivery before a queue of so many rows, each of a session of its own, of which Convex gives no context. */
function startBefore(waiting: number) {
  const rows = Array.from({ length: waiting }, (_, n) =>
    sampleRow({ _id: `n${n}`, taskId: `task-${n}`, createdAt: n }),
  );
  const asked: number[] = [];
  const { parent, heard } = createListener<DeliveryNews>();
  const refuse = fromPromise<OutputFrom<Read>, InputFrom<Read>>(() =>
    Promise.reject(new Fault('backendRejected', 'The context cannot be read.')),
  );
  const clock = new SimulatedClock();
  const actor = createActor(
    deliveryMachine.provide({
      actors: {
        notification: notificationMachine.provide({ actors: { readContext: refuse } }),
        listUndelivered: fromPromise<Page, ListInput>(({ input: { limit } }) => {
          asked.push(limit);
          return Promise.resolve({
            rows: rows.slice(0, limit).map((row) => ({ row, entry: null, given: null })),
            listed: Math.min(limit, rows.length),
            unseen: false,
            cursor: null,
          });
        }),
      },
    }),
    {
      clock,
      input: deliveryInput({
        parent,
        settings: {
          intervalMs: 1_000,
          backend: LIMITS,
          runs: LIMITS,
          maxConcurrentSessions: 10,
          listLimit: 150,
        },
      }),
    },
  ).start();
  const pass = async (looks: number): Promise<void> => {
    for (let n = 0; n < looks; n += 1) {
      await settle();
      clock.increment(1_000);
    }
  };
  const more = () => actor.getSnapshot().context.poll.more;
  const told = () =>
    heard.flatMap((news) =>
      news.type === 'condition.changed' && news.source === 'page' ? [news.problem] : [],
    );
  return { rows, asked, pass, more, told, known: () => actor.getSnapshot().context.queue.sessions.length };
}

it('grows by what is known already, until it sees the end of the list', async () => {
  const { asked, pass, more, known } = startBefore(320);
  await pass(30);
  expect([...new Set(asked)]).toEqual([150, 300, 450, 470]);
  expect([known(), more()]).toEqual([320, 'no']);
});

it('stops at 500, and says that even that is full', async () => {
  const { asked, pass, more, known } = startBefore(700);
  await pass(30);
  expect(Math.max(...asked)).toBe(500);
  expect([known(), more()]).toEqual([500, 'pageExhausted']);
});

it('says that newer rows are hidden while slots are free, and when they are not any more', async () => {
  const { rows, pass, told } = startBefore(700);
  await pass(30);
  expect(told()).toEqual([expect.stringContaining('500 oldest notifications')]);
  rows.splice(0, 300);
  await pass(30);
  expect(told().slice(1)).toEqual([null]);
});

/** When the trouble of a session, its calls and its waits is named, and what takes that back. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock, type InputFrom, type OutputFrom } from 'xstate';
import { deliveryInput } from '../../test/kits/delivery-input.ts';
import { createListener, sampleContext, sampleRow, settle } from '../../test/kits/samples/mission-control.ts';
import type { notificationActors } from '../notification/actors.ts';
import { notificationMachine } from '../notification/machine.ts';
import type { NotificationRow } from '../shared/mission-control.ts';
import type { DeliveryNews, ListInput, Page } from './context.ts';
import { deliveryMachine } from './machine.ts';

type Read = (typeof notificationActors)['readContext'];

const A = 'agent-e/a';
const B = 'agent-e/b';
const who = { agent: 'engineer', title: 'engineer · Fix the login bug' };

const rowOf = (task: string): NotificationRow => sampleRow({ _id: task, taskId: task, createdAt: 1 });

/** Delivery with a notification in the task `a` and one in `b`. Their contexts come when the test says so. */
async function begin() {
  const { parent, heard } = createListener<DeliveryNews>();
  const clock = new SimulatedClock();
  const list: { rows: NotificationRow[] } = { rows: [rowOf('a'), rowOf('b')] };
  const reads = new Map<string, (read: OutputFrom<Read>) => void>();
  const notification = notificationMachine.provide({
    actors: {
      readContext: fromPromise<OutputFrom<Read>, InputFrom<Read>>(
        ({ input: { id } }) => new Promise((resolve) => reads.set(id, resolve)),
      ),
      handBack: fromPromise(() => Promise.resolve()),
    },
  });
  const actor = createActor(
    deliveryMachine.provide({
      actors: {
        notification,
        listUndelivered: fromPromise<Page, ListInput>(() =>
          Promise.resolve({
            rows: list.rows.map((row) => ({ row, entry: null, given: null })),
            listed: list.rows.length,
            unseen: false,
            cursor: null,
          }),
        ),
      },
    }),
    { clock, input: deliveryInput({ parent, settings: { listLimit: 10 } }) },
  ).start();
  await settle();
  /** The problems that are told and not taken back, by source. */
  const named = (): string[] => {
    const problems = new Map<string, string>();
    for (const news of heard) {
      if (news.type !== 'condition.changed') continue;
      if (news.problem === null) problems.delete(news.source);
      else problems.set(news.source, news.problem);
    }
    return [...problems.keys()];
  };
  const look = async (): Promise<void> => {
    actor.send({ type: 'delivery.poll' });
    await settle();
  };
  return { actor, list, reads, named, look };
}

const failed = (session: string) =>
  ({ type: 'run.failed', session, who, kind: 'runFailed', reason: 'boom' }) as const;
const limited = { type: 'run.limited', session: A, who, reason: 'Too many requests.' } as const;

it('a run that fails is named until one succeeds: a call that works says nothing about it', async () => {
  const { actor, named } = await begin();
  actor.send(failed(A));
  actor.send(failed(A));
  expect(named()).toEqual([`session:${A}`]);
  actor.send({ type: 'function.passed', session: A, name: 'getNotificationForDelivery' });
  expect(named()).toEqual([`session:${A}`]);
  actor.send({ type: 'run.succeeded', session: A });
  expect(named()).toEqual([]);
});

it("a wait that was asked for is named until its run succeeds, also over its agent's trouble", async () => {
  const { actor, named } = await begin();
  actor.send(limited);
  expect(named()).toEqual([`wait:${A}`]);
  for (const session of [B, A, B]) actor.send(failed(session));
  expect(named()).toEqual([`wait:${A}`, 'agent:agent-e']);
  actor.send({ type: 'run.succeeded', session: B });
  expect(named()).toEqual([`wait:${A}`]);
  actor.send({ type: 'run.succeeded', session: A });
  expect(named()).toEqual([]);
});

it.each([
  ['keeps its trouble when the page brings it back', true],
  ["is nobody's trouble any more when the page does not", false],
])('a row that is handed back %s', async (_, comesBack) => {
  const { actor, list, reads, named, look } = await begin();
  actor.send({ type: 'session.troubled', session: A, who, reason: 'boom' });
  const moved = { ...rowOf('a'), createdAt: 9, messageId: 'newer' };
  list.rows = comesBack ? [moved, rowOf('b')] : [rowOf('b')];
  reads.get('a')?.({
    delivery: sampleContext({ notification: moved }),
    completes: false,
    typing: false,
  });
  await settle();
  await look();
  expect(named()).toEqual(comesBack ? [`session:${A}`] : []);
});

it('a session that has to run alone is named until it need not any more', async () => {
  const { actor, named } = await begin();
  const wanted = { type: 'slot.wanted', session: A, who } as const;
  actor.send({ ...wanted, alone: true });
  expect(named()).toEqual([`alone:${A}`]);
  actor.send({ ...wanted, alone: false });
  expect(named()).toEqual([]);
});

it('a function that takes no calls is named, and does not excuse a row that it rejects', async () => {
  const { actor, named } = await begin();
  const name = 'createMessageFromAgent';
  const away = { type: 'function.away', session: A, who, name, reason: '503', asksForWait: false } as const;
  for (let n = 0; n < 3; n += 1) actor.send(away);
  expect(named()).toEqual([`away:${name}`]);
  expect(actor.getSnapshot().children['0']?.getSnapshot()).toMatchObject({
    context: { backend: { troubled: [], away: [name] } },
  });
  for (let n = 0; n < 2; n += 1) {
    actor.send({ type: 'function.failed', session: A, who, name, reason: 'No such task.' });
  }
  expect(named()).toEqual([`away:${name}`, `calls:${A}`]);
  actor.send({ type: 'function.passed', session: A, name });
  expect(named()).toEqual([]);
});

/** Delivery's looks at the queue, while other things happen. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { deliveryInput } from '../../test/kits/delivery-input.ts';
import { createListener, sampleAgent, sampleRow, settle } from '../../test/kits/samples/mission-control.ts';
import { notificationMachine } from '../notification/machine.ts';
import { beatMachine } from '../beat/machine.ts';
import type { Outcome } from '../notification/context.ts';
import type { BeatAnswer, ChildOutput, DeliveryNews, DeliverySettings, ListInput, Page } from './context.ts';
import { deliveryMachine } from './machine.ts';

const INTERVAL_MS = 15_000;
const MINUTE_MS = 60_000;

const hangs = <T, TInput>() => fromPromise<T, TInput>(() => new Promise(() => undefined));

/** Delivery whose children never come to an end. Each look waits for its answer: `answer` gives that of the last one. */
function startDelivery({
  watched = false,
  offerKnown = true,
  ...settings
}: { watched?: boolean; offerKnown?: boolean } & Partial<DeliverySettings> = {}) {
  const clock = new SimulatedClock();
  const { parent, heard } = createListener<DeliveryNews>();
  const looks: ((page: Page) => void)[] = [];
  const listUndelivered = fromPromise<Page, ListInput>(() => new Promise((resolve) => looks.push(resolve)));
  const actor = createActor(
    deliveryMachine.provide({
      actors: {
        listUndelivered,
        notification: notificationMachine.provide({ actors: { readContext: hangs() } }),
        beat: beatMachine.provide({ actors: { planBeat: hangs() } }),
      },
    }),
    {
      clock,
      input: deliveryInput({
        parent,
        watched,
        offerKnown,
        settings: { maxConcurrentSessions: 5, ...settings },
      }),
    },
  ).start();
  const answer = (...ids: string[]): Promise<void> => {
    const rows = ids.map((id, n) => ({
      row: sampleRow({ _id: id, taskId: id, createdAt: n }),
      entry: null,
      given: null,
    }));
    looks.at(-1)?.({ rows, listed: rows.length, unseen: false, cursor: null });
    return settle();
  };
  const context = () => actor.getSnapshot().context;
  const sessionOf = (id: string) => context().queue.sessions.find(({ key }) => key === `agent-e/${id}`);
  const end = (id: string, outcome: Outcome): void => {
    const output: ChildOutput = {
      kind: 'notification',
      session: `agent-e/${id}`,
      title: 'engineer · A task',
      id,
      outcome,
      attempts: 1,
      runMs: 1,
      reason: null,
      note: null,
      thread: null,
    };
    const actorId = sessionOf(id)?.actorId ?? '';
    actor.send({ type: `xstate.done.actor.${actorId}`, output, actorId } as never);
  };
  /** Answers every look with nothing, for so long. */
  const beSilent = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.increment(100);
      await answer();
    }
  };
  const told = (source: string) =>
    heard.flatMap((news) =>
      news.type === 'condition.changed' && news.source === source ? [news.problem] : [],
    );
  return { actor, clock, looks, answer, context, end, sessionOf, beSilent, told };
}

it('counts a notification that ends in a drain once, also when the next look was far away', async () => {
  const { actor, answer, context, end, beSilent } = startDelivery();
  await answer('a', 'b');
  await beSilent(10 * MINUTE_MS);
  actor.send({ type: 'delivery.drain' });
  end('a', 'delivered');
  expect(context().history.counts.delivered).toBe(1);
});

it('takes a full page for one, though a heartbeat became due while it was asked for', async () => {
  const { actor, looks, answer, context } = startDelivery({ watched: true });
  const replyTo = createListener<BeatAnswer>().parent;
  actor.send({ type: 'beat.due', seen: [], agent: sampleAgent(), replyTo });
  await answer('a', 'b');
  expect([looks.length, context().poll.asked]).toEqual([2, 5]);
});

it('keeps the place of a session that gave its row back, however long the next page takes', async () => {
  const { clock, answer, context, end, sessionOf } = startDelivery({ watched: true });
  await answer('a');
  end('a', 'handedBack');
  clock.increment(MINUTE_MS);
  expect(sessionOf('a')).toMatchObject({ phase: 'empty', waitingSince: 0 });
  await answer();
  expect(context().queue.sessions).toEqual([]);
});

it('looks at a row that was left alone as soon as its time is over, though no change is told', async () => {
  const { clock, looks, answer, end } = startDelivery({ watched: true });
  await answer('a');
  clock.increment(100_000);
  end('a', 'gone');
  clock.increment(9_999);
  expect(looks).toHaveLength(1);
  clock.increment(1);
  expect(looks).toHaveLength(2);
});

it('names a row that is listed again and again and is gone, until it is not listed any more', async () => {
  const { clock, answer, beSilent, end, told } = startDelivery();
  await answer('a');
  end('a', 'gone');
  expect(told('row:a')).toEqual([]);
  clock.increment(10_000);
  await answer('a');
  end('a', 'gone');
  expect(told('row:a')).toEqual([expect.stringContaining('says that it is not there')]);
  await beSilent(20_000);
  expect(told('row:a').at(-1)).toBeNull();
});

it('looks at once for the rows that stood behind a child that crashed', async () => {
  const { actor, looks, answer, sessionOf } = startDelivery({ watched: true });
  await answer('a');
  const id = sessionOf('a')?.actorId ?? '';
  actor.send({ type: `xstate.error.actor.${id}`, actorId: id, error: new Error('a bug') } as never);
  expect(looks).toHaveLength(2);
});

it('sees a message within a twentieth of the silence before it, and within half a second after activity', async () => {
  for (const silentMs of [0, 15_000, MINUTE_MS]) {
    const { clock, looks, beSilent, answer } = startDelivery();
    await answer();
    await beSilent(silentMs);
    const before = looks.length;
    clock.increment(Math.max(500, silentMs / 20) + 100);
    expect(looks.length, `after ${silentMs} ms`).toBeGreaterThan(before);
  }
});

it('costs a silent night what DELIVERY_INTERVAL says', async () => {
  const { looks, beSilent, answer } = startDelivery();
  await answer();
  await beSilent(10 * MINUTE_MS);
  const before = looks.length;
  await beSilent(60 * MINUTE_MS);
  expect(looks.length - before).toBeLessThanOrEqual((60 * MINUTE_MS) / INTERVAL_MS);
  expect(looks.length - before).toBeGreaterThan(230);
});

it('looks at the queue while the gate is closed, so that it can say how much waits', async () => {
  const { actor, answer, context, sessionOf } = startDelivery();
  actor.send({ type: 'gateway.lost', excused: false });
  await answer('a', 'b');
  expect(context().queue.counts.waiting).toBe(2);
  expect(sessionOf('a')?.actorId).toBeNull();
});

it('looks first when Convex was asked what it offers, so that what the first list brings is lent', () => {
  const { actor, clock, looks } = startDelivery({ offerKnown: false });
  clock.increment(MINUTE_MS);
  expect(looks).toHaveLength(0);
  actor.send({ type: 'extensions.asked' });
  expect(looks).toHaveLength(1);
});

/** Delivery's looks at the queue, while other things happen. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import type { Outcome } from '../lane/job.ts';
import { laneMachine } from '../lane/machine.ts';
import { createListener, sampleAgent, sampleRow, settle } from '../../test/kits/samples/mission-control.ts';
import type { BeatAnswer, ListInput, Page } from './context.ts';
import { deliveryInput } from './input.test-kit.ts';
import { deliveryMachine } from './machine.ts';

const INTERVAL_MS = 15_000;

const hangs = <T, TInput>() => fromPromise<T, TInput>(() => new Promise(() => undefined));

/** Delivery whose lanes never come to an end. Each look waits for its answer: `answer` gives that of the last one. */
function startDelivery({ watched }: { watched: boolean }) {
  const clock = new SimulatedClock();
  const looks: ((page: Page) => void)[] = [];
  const listUndelivered = fromPromise<Page, ListInput>(() => new Promise((resolve) => looks.push(resolve)));
  const actor = createActor(
    deliveryMachine.provide({
      actors: {
        listUndelivered,
        lane: laneMachine.provide({ actors: { loadJob: hangs(), beat: hangs() } }),
      },
    }),
    {
      clock,
      input: deliveryInput({ watched, settings: { maxConcurrentSessions: 5 } }),
    },
  ).start();
  const answer = (...ids: string[]): Promise<void> => {
    const rows = ids.map((id, n) => sampleRow({ _id: id, taskId: id, createdAt: n }));
    looks.at(-1)?.({ rows, unseen: false });
    return settle();
  };
  return { actor, clock, looks, answer, context: () => actor.getSnapshot().context };
}

const settled = (id: string, outcome: Outcome) =>
  ({
    type: 'lane.settled',
    key: `lane:agent-e/${id}`,
    jobId: id,
    outcome,
    attempt: 1,
    runMs: 1,
    reason: null,
    note: null,
  }) as const;

it('counts a job that ends in a drain once, also when the next look was far away', async () => {
  const { actor, clock, answer, context } = startDelivery({ watched: false });
  await answer('a', 'b');
  while (context().poll.inMs < INTERVAL_MS) {
    await answer('a', 'b');
    clock.increment(INTERVAL_MS);
  }
  await answer('a', 'b');
  actor.send({ type: 'delivery.drain' });
  actor.send(settled('a', 'delivered'));
  expect(context().history.counts.delivered).toBe(1);
});

it('takes a full page for one, though a heartbeat became due while it was asked for', async () => {
  const { actor, looks, answer, context } = startDelivery({ watched: true });
  const replyTo = createListener<BeatAnswer>().parent;
  actor.send({ type: 'beat.due', agent: sampleAgent(), replyTo });
  await answer('a', 'b');
  expect([looks.length, context().poll.asked]).toEqual([2, 5]);
});

it('keeps the seat of a lane that gave its row back, however long the next page takes', async () => {
  const { actor, clock, answer, context } = startDelivery({ watched: true });
  await answer('a');
  actor.send(settled('a', 'released'));
  clock.increment(60_000);
  expect(context().line.lanes).toMatchObject([{ key: 'lane:agent-e/a', seat: 0 }]);
  await answer();
  clock.increment(60_000);
  expect(context().line.lanes).toEqual([]);
});

it('looks at a row that was left alone as soon as its time is over, though no change is told', async () => {
  const { actor, clock, looks, answer } = startDelivery({ watched: true });
  await answer('a');
  clock.increment(100_000);
  actor.send(settled('a', 'stuck'));
  for (const ms of [200_000, 300_000]) {
    clock.increment(ms);
    await answer('a');
  }
  clock.increment(99_999);
  expect(looks).toHaveLength(3);
  clock.increment(1);
  expect(looks).toHaveLength(4);
});

it('looks at once for the rows that a lane which crashed had behind the one in its hand', async () => {
  const { actor, looks, answer, context } = startDelivery({ watched: true });
  await answer('a');
  const id = context().line.lanes[0]?.actorId ?? '';
  actor.send({ type: `xstate.error.actor.${id}`, actorId: id, error: new Error('a bug') } as never);
  expect(looks).toHaveLength(2);
});

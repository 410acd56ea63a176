/** A row is given up after five failures of one step in a row, and not of several steps together. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock, type InputFrom, type OutputFrom } from 'xstate';
import { freshGhost, inputOf } from '../../test/kits/notification-world.ts';
import {
  createListener,
  sampleContext,
  sampleTask,
  settle,
} from '../../test/kits/samples/mission-control.ts';
import { Fault } from '../shared/fault.ts';
import type { ChildNews } from '../shared/child-messages.ts';
import type { notificationActors } from './actors.ts';
import { notificationMachine } from './machine.ts';

type Actors = typeof notificationActors;

/** A notification of which the first reads fail, and posts as told. @returns what became of it after an hour */
async function play(badReads: number, post: (attempt: number) => Promise<void>) {
  const input = { ...inputOf(freshGhost('mention')), parent: createListener<ChildNews>().parent };
  const delivery = sampleContext({
    notification: input.row,
    task: sampleTask({ title: 'Fix the login bug' }),
  });
  let reads = 0;
  let posts = 0;
  const letters: InputFrom<Actors['keepDeadLetter']>[] = [];
  const machine = notificationMachine.provide({
    actors: {
      readContext: fromPromise<OutputFrom<Actors['readContext']>, InputFrom<Actors['readContext']>>(() => {
        reads += 1;
        return reads > badReads
          ? Promise.resolve({ delivery, completes: false, typing: false })
          : Promise.reject(new Fault('backendRejected', 'It cannot be read.'));
      }),
      runAgent: fromPromise<OutputFrom<Actors['runAgent']>, InputFrom<Actors['runAgent']>>(() =>
        Promise.resolve({ reply: { text: 'Done.', toolCalls: 0 }, calls: [], runMs: 1 }),
      ),
      postMessage: fromPromise<void, InputFrom<Actors['postMessage']>>(() => {
        posts += 1;
        return post(posts);
      }),
      keepDeadLetter: fromPromise<void, InputFrom<Actors['keepDeadLetter']>>(({ input: letter }) => {
        letters.push(letter);
        return Promise.resolve();
      }),
      rereadRow: fromPromise<OutputFrom<Actors['rereadRow']>, InputFrom<Actors['rereadRow']>>(() =>
        Promise.resolve(delivery),
      ),
      markDelivered: fromPromise<OutputFrom<Actors['markDelivered']>, InputFrom<Actors['markDelivered']>>(
        () => Promise.resolve(null),
      ),
    },
  });
  const clock = new SimulatedClock();
  const actor = createActor(machine, { clock, input }).start();
  for (let minute = 0; minute < 60; minute += 1) {
    await settle();
    if (actor.getSnapshot().matches('queueing')) actor.send({ type: 'slot.granted', trial: false });
    await settle();
    clock.increment(60_000);
  }
  const outcome = actor.getSnapshot().output?.outcome;
  actor.stop();
  return { outcome, posts, letters };
}

it('a paid reply has its five posts, also when its row could not be read four times', async () => {
  const rejected = new Fault('backendRejected', 'It cannot be posted.');
  const end = await play(4, (attempt) => (attempt < 5 ? Promise.reject(rejected) : Promise.resolve()));
  expect(end).toEqual({ outcome: 'delivered', posts: 5, letters: [] });
});

it('a note that is refused as too long is not tried again: the reply is one dead letter, which names agent and task', async () => {
  const end = await play(0, () => Promise.reject(new Fault('textTooLong', 'It is too long.')));
  expect(end).toMatchObject({
    outcome: 'parked',
    posts: 2,
    letters: [{ title: 'engineer · Fix the login bug', text: 'Done.' }],
  });
});

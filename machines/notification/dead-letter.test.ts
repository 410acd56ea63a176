/** A reply that cannot be posted is kept with the words by which people know its session. */
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
import type { ChildNews } from '../shared/slot.ts';
import type { notificationActors } from './actors.ts';
import { notificationMachine } from './machine.ts';

type Actors = typeof notificationActors;

it('names agent and task', async () => {
  const kept: InputFrom<Actors['keepDeadLetter']>[] = [];
  const input = { ...inputOf(freshGhost('mention')), parent: createListener<ChildNews>().parent };
  const delivery = sampleContext({
    notification: input.row,
    task: sampleTask({ title: 'Fix the login bug' }),
  });
  const reply = { text: 'Done.', toolCalls: 0 };
  const machine = notificationMachine.provide({
    actors: {
      readContext: fromPromise<OutputFrom<Actors['readContext']>, InputFrom<Actors['readContext']>>(() =>
        Promise.resolve({ delivery, completes: false, typing: false }),
      ),
      runAgent: fromPromise<OutputFrom<Actors['runAgent']>, InputFrom<Actors['runAgent']>>(() =>
        Promise.resolve({ reply, calls: [], runMs: 1 }),
      ),
      // The note about it is short.
      postMessage: fromPromise<void, InputFrom<Actors['postMessage']>>(({ input: { quiet } }) =>
        quiet ? Promise.resolve() : Promise.reject(new Fault('textTooLong', 'It is too long.')),
      ),
      keepDeadLetter: fromPromise<void, InputFrom<Actors['keepDeadLetter']>>(({ input: letter }) => {
        kept.push(letter);
        return Promise.resolve();
      }),
    },
  });
  const actor = createActor(machine, { clock: new SimulatedClock(), input });
  actor.start();
  await settle();
  actor.send({ type: 'slot.granted', trial: false });
  await settle();
  actor.stop();
  expect(kept).toMatchObject([{ title: 'engineer · Fix the login bug', text: 'Done.' }]);
});

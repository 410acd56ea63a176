/** A text that was paid for is posted, however long Convex is away, or is kept for people. */
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { expect, test } from 'vitest';
import { agentRow } from '../../test/kits/samples/agent-row.ts';
import { createListener, sampleTask, settle } from '../../test/kits/samples/mission-control.ts';
import { Fault, type FaultKind } from '../shared/fault.ts';
import type { ChildNews } from '../shared/child-messages.ts';
import type { Looked } from '../shared/child.ts';
import type { BeatLetter, BeatPlan, BeatPost, BeatRound, BeatRun } from './context.ts';
import { beatMachine } from './machine.ts';

const MESSAGE = { taskId: 'task-1', content: 'It is done.' };
const FOCUS = sampleTask();
const PLAN: BeatPlan = {
  isOrchestrator: false,
  tasks: [FOCUS],
  leftOut: 0,
  focus: FOCUS,
  thread: [],
  acting: null,
};

/** A beat that has something to say. @param failures how the tries to post it end, one after another; then it is posted */
async function posting(failures: FaultKind[]) {
  const clock = new SimulatedClock();
  const letters: BeatLetter[] = [];
  const world = { posts: 0 };
  const machine = beatMachine.provide({
    actors: {
      planBeat: fromPromise(() => Promise.resolve(PLAN)),
      runBeat: fromPromise<BeatRound, BeatRun>(() =>
        Promise.resolve({ calls: [], message: MESSAGE, runMs: 1 }),
      ),
      postBeat: fromPromise(() => {
        world.posts += 1;
        const kind = failures.shift();
        return kind === undefined ? Promise.resolve() : Promise.reject(new Fault(kind, `${kind}!`));
      }),
      findBeat: fromPromise<Looked, BeatPost>(() => Promise.resolve({ found: false, mayArriveForMs: 0 })),
      keepDeadLetter: fromPromise<void, BeatLetter>(({ input }) => {
        letters.push(input);
        return Promise.resolve();
      }),
      reportBeat: fromPromise(() => Promise.resolve()),
    },
  });
  const actor = createActor(machine, {
    clock,
    input: {
      parent: createListener<ChildNews>().parent,
      session: 's',
      agent: agentRow('engineer'),
      seen: [],
      backend: { baseMs: 1_000, capMs: 8_000 },
      stallAfterMs: 300_000,
      random: () => 0.5,
      moment: () => ({ boot: 'boot', ms: 0 }),
    },
  }).start();
  await settle();
  actor.send({ type: 'slot.granted', trial: false });
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      await settle();
      clock.increment(1_000);
    }
    await settle();
  };
  await settle();
  return { actor, world, letters, pass };
}

const away = (times: number): FaultKind[] => Array.from({ length: times }, () => 'backendUnavailable');
const rejected = (times: number): FaultKind[] => Array.from({ length: times }, () => 'backendRejected');

test('Convex that is away for long does not count: the text is posted when it is back', async () => {
  const { actor, world, letters, pass } = await posting([...away(20), ...rejected(4)]);
  await pass(300);
  expect(world.posts).toBe(25);
  expect(actor.getSnapshot().output).toMatchObject({ outcome: 'beaten' });
  expect(letters).toEqual([]);
});

test('a text that is refused five times is kept, with agent and task', async () => {
  const { actor, world, letters, pass } = await posting(rejected(9));
  await pass(300);
  expect(world.posts).toBe(5);
  expect(actor.getSnapshot().output).toMatchObject({ outcome: 'beatFailed', reason: 'backendRejected!' });
  expect(letters).toEqual([
    {
      agentId: 'engineer',
      title: 'engineer · Build',
      message: MESSAGE,
      reason: 'backendRejected!',
    },
  ]);
});

test('a text that is not posted when the process leaves is kept', async () => {
  const { actor, letters, pass } = await posting(away(9));
  actor.send({ type: 'work.leave' });
  await pass(20);
  expect(actor.getSnapshot().matches('posting')).toBe(true);
  actor.send({ type: 'work.abort' });
  await settle();
  expect(actor.getSnapshot().status).toBe('done');
  expect(letters).toMatchObject([{ message: MESSAGE, reason: 'backendUnavailable!' }]);
});

/** The log tells once of a run whose round is silent for long. The round goes on. */
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { expect, test } from 'vitest';
import { agentRow } from '../../test/kits/samples/agent-row.ts';
import { createListener } from '../../test/kits/samples/mission-control.ts';
import type { Parent } from '../shared/parent.ts';
import type { ChildNews, Sign } from '../shared/child-messages.ts';
import type { BeatPlan, BeatRound, BeatRun } from './context.ts';
import { beatMachine } from './machine.ts';

const PLAN: BeatPlan = {
  isOrchestrator: false,
  tasks: [],
  leftOut: 0,
  focus: null,
  thread: [],
  acting: null,
};

async function openRound() {
  const clock = new SimulatedClock();
  const { parent, heard } = createListener<ChildNews>();
  const round: { signs: Parent<Sign>; end: (round: BeatRound) => void } = {
    signs: createListener<Sign>().parent,
    end: () => undefined,
  };
  const machine = beatMachine.provide({
    actors: {
      planBeat: fromPromise(() => Promise.resolve(PLAN)),
      runBeat: fromPromise<BeatRound, BeatRun>(({ input }) => {
        round.signs = input.signs;
        return new Promise((resolve) => (round.end = resolve));
      }),
      reportBeat: fromPromise(() => Promise.resolve()),
    },
  });
  const actor = createActor(machine, {
    clock,
    input: {
      parent,
      session: 's',
      agent: agentRow('engineer'),
      seen: [],
      backend: { baseMs: 1, capMs: 1 },
      stallAfterMs: 60_000,
      moment: () => ({ boot: 'boot', ms: 0 }),
      random: () => 0,
    },
  }).start();
  await expect.poll(() => actor.getSnapshot().value).toBe('queueing');
  actor.send({ type: 'slot.granted', trial: false });
  const stalls = (): unknown[] => heard.filter(({ type }) => type === 'run.stalled' || type === 'run.heard');
  return { actor, clock, round, stalls };
}

const STALLED = {
  type: 'run.stalled',
  session: 's',
  agent: 'engineer',
  task: null,
  silentMs: 60_000,
  first: true,
};
const HEARD = { type: 'run.heard', session: 's' };

test('signs keep it quiet, silence is told, and the next sign takes that back', async () => {
  const { actor, clock, round, stalls } = await openRound();
  for (let i = 0; i < 5; i += 1) {
    clock.increment(59_999);
    round.signs.send({ type: 'run.sign' });
  }
  expect(stalls()).toEqual([]);
  clock.increment(60_000);
  expect(stalls()).toEqual([STALLED]);
  expect(actor.getSnapshot().hasTag('attention')).toBe(true);
  clock.increment(600_000);
  expect(stalls()).toEqual([STALLED]);
  round.signs.send({ type: 'run.sign' });
  expect(stalls()).toEqual([STALLED, HEARD]);
  clock.increment(60_000);
  expect(stalls()).toEqual([STALLED, HEARD, { ...STALLED, first: false }]);
});

test('the end of the round takes it back too, and so does a cut', async () => {
  const ended = await openRound();
  ended.clock.increment(60_000);
  ended.round.end({ calls: [], message: null, runMs: 1 });
  await expect.poll(ended.stalls).toEqual([STALLED, HEARD]);
  const cut = await openRound();
  cut.clock.increment(60_000);
  cut.actor.send({ type: 'work.abort' });
  expect(cut.stalls()).toEqual([STALLED, HEARD]);
});

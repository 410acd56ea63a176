import { createActor, fromCallback, fromPromise, toPromise } from 'xstate';
import { expect, test } from 'vitest';
import { actingAgent } from '../../test/kits/samples/acting.ts';
import { agentRow } from '../../test/kits/samples/agent-row.ts';
import { Fault } from '../shared/fault.ts';
import type { Rounds } from '../shared/rounds.ts';
import type { ChildNews } from '../shared/child-messages.ts';
import type { BeatPlan, BeatRound, BeatRun } from './context.ts';
import { beatMachine } from './machine.ts';

const call = (name: string) => ({ callId: name, name, arguments: '{}' });
const PLAN: BeatPlan = {
  isOrchestrator: false,
  tasks: [],
  leftOut: 0,
  focus: null,
  thread: [],
  acting: actingAgent({ inBeat: true }),
};

interface Script {
  /** What each round answers; the last one again and again. */
  rounds: BeatRound['calls'][];
  /** Fails the first so many calls: Convex is away. */
  failing?: number;
}

async function beat({ rounds: script, failing = 0 }: Script) {
  const made: [name: string, begun: boolean | undefined, unreachable: boolean][] = [];
  const seen: Rounds[] = [];
  const news: string[] = [];
  let left = failing;
  const machine = beatMachine.provide({
    actors: {
      planBeat: fromPromise(() => Promise.resolve(PLAN)),
      runBeat: fromPromise<BeatRound, BeatRun>(({ input }) => {
        seen.push(input.rounds);
        const calls = script[Math.min(seen.length, script.length) - 1] ?? [];
        return Promise.resolve({ calls, message: { taskId: 't', content: 'Done' }, runMs: 10 });
      }),
      makeCall: fromPromise(({ input: { next, unreachable } }) => {
        made.push([next?.call.name ?? '', next?.begun, unreachable]);
        if (left-- > 0 && !unreachable) return Promise.reject(new Fault('backendUnavailable', 'away'));
        return Promise.resolve({ output: '{}', outcome: 'ok' as const });
      }),
      postBeat: fromPromise(() => Promise.resolve()),
      reportBeat: fromPromise(() => Promise.resolve()),
    },
    delays: { stepBackoff: 1 },
  });
  const parent = createActor(
    fromCallback<ChildNews>(({ receive }) => {
      receive(({ type }) => {
        news.push(type);
        if (type === 'slot.wanted') actor.send({ type: 'slot.granted', trial: false });
      });
    }),
  ).start();
  const actor = createActor(machine, {
    input: {
      parent,
      session: 's',
      agent: agentRow('engineer'),
      seen: [],
      backend: { baseMs: 1, capMs: 1 },
      stallAfterMs: 300_000,
      random: () => 0,
      moment: () => ({ boot: 'boot', ms: 0 }),
    },
  });
  const output = toPromise(actor);
  actor.start();
  return { output: await output, made, seen, news };
}

test('calls are made in order, and the answer of the last round counts', async () => {
  const { output, made, seen } = await beat({ rounds: [[call('a'), call('b')], []] });
  expect(made.map(([name]) => name)).toEqual(['a', 'b']);
  expect(seen[1]?.calls.map(({ answer }) => answer?.outcome)).toEqual(['ok', 'ok']);
  expect(output).toMatchObject({ outcome: 'beaten', runMs: 20 });
});

test('Convex that is away costs neither the call nor a slot', async () => {
  const { output, made, news } = await beat({ rounds: [[call('a')], []], failing: 2 });
  expect(made).toEqual([
    ['a', false, false],
    ['a', true, false],
    ['a', true, false],
  ]);
  expect(news.filter((type) => type === 'slot.returned')).toHaveLength(3);
  expect(output.outcome).toBe('beaten');
});

test('Convex that stays away is told to the agent', async () => {
  const { output, made } = await beat({ rounds: [[call('a')], []], failing: 99 });
  expect(made.at(-1)).toEqual(['a', true, true]);
  expect(output.outcome).toBe('beaten');
});

test('an agent that calls for ever is stopped after sixteen answers with calls', async () => {
  const { output, made, seen } = await beat({ rounds: [[call('a')]] });
  expect(made).toHaveLength(16);
  expect(seen).toHaveLength(17);
  expect(output.outcome).toBe('beaten');
});

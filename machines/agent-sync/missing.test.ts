import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { expect, test } from 'vitest';
import { agentRow } from '../../test/kits/samples/agent-row.ts';
import { createListener, settle } from '../../test/kits/samples/mission-control.ts';
import type { AgentRow } from '../shared/mission-control.ts';
import { agentSyncMachine, type AgentSyncNews } from './machine.ts';
import { missingFrom, missingSentence } from './roster.ts';

const AWAY = new Error('The gateway does not answer.');

/** An account with two agents, and what the gateway says that it knows. */
function syncing() {
  const world = { known: ['engineer'] as string[] | null | Error };
  const clock = new SimulatedClock();
  const { parent, heard } = createListener<AgentSyncNews>();
  const machine = agentSyncMachine.provide({
    actors: {
      listAgents: fromPromise<AgentRow[]>(() => Promise.resolve([agentRow('engineer'), agentRow('qa')])),
      listGatewayAgents: fromPromise<readonly string[] | null>(() =>
        world.known instanceof Error ? Promise.reject(world.known) : Promise.resolve(world.known),
      ),
    },
  });
  const backend = { baseMs: 5_000, capMs: 60_000 };
  const input = {
    parent,
    intervalMs: 300_000,
    profileIntervalMs: null,
    backend,
    random: () => 0.99,
    now: () => 0,
  };
  const actor = createActor(machine, { clock, input }).start();
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      clock.increment(1_000);
      for (let call = 0; call < 4; call += 1) await settle();
    }
  };
  const problems = (): (string | null)[] =>
    heard.flatMap((event) => (event.type === 'condition.changed' ? [event.problem] : []));
  return { world, actor, pass, problems };
}

test('an agent that the gateway lacks is told by name, and no more when it is there', async () => {
  const { world, actor, pass, problems } = syncing();
  await pass(60_000);
  expect(problems().at(-1)).toBe(missingSentence(['qa']));
  expect(actor.getSnapshot().value).toBe('lacking');
  // A gateway that goes away takes nothing back.
  world.known = AWAY;
  await pass(120_000);
  expect(new Set(problems())).toEqual(new Set([missingSentence(['qa'])]));
  world.known = ['ENGINEER', 'qa'];
  await pass(60_000);
  expect(problems().at(-1)).toBeNull();
  expect(actor.getSnapshot()).toMatchObject({ value: 'synced', context: { missing: [] } });
});

test('a gateway that takes an agent over in a moment is given that moment', async () => {
  const { world, actor, pass, problems } = syncing();
  await pass(1_000);
  expect(actor.getSnapshot().value).toBe('expecting');
  world.known = ['engineer', 'qa'];
  await pass(10_000);
  expect(actor.getSnapshot().value).toBe('synced');
  expect(problems()).toEqual([null]);
});

test.each([[AWAY], [null], [[]]])('nothing is said of a gateway that says %j', async (known) => {
  const { world, actor, pass, problems } = syncing();
  world.known = known;
  await pass(60_000);
  expect(actor.getSnapshot().value).toBe('synced');
  expect(problems()).toEqual([null]);
});

test('the sentence names ten, and says what to do', () => {
  const roster = Array.from({ length: 12 }, (_, n) => ({ slug: `a${n}`, name: '' }));
  const words = missingSentence(missingFrom(['other'], roster));
  expect(words).toContain('@a9 and 2 more, so messages to them are given up: add them to agents.entries');
});

import { createActor, fromCallback, fromPromise, SimulatedClock } from 'xstate';
import { expect, test } from 'vitest';
import type { AgentRow } from '../shared/mission-control.ts';
import { agentSyncMachine, type AgentSyncNews } from './machine.ts';
import { agentRow } from '../../test/kits/samples/agent-row.ts';
import type { RosterEntry } from './roster.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A machine whose agents and gateway the test controls. */
function syncing(profileIntervalMs: number | null = null) {
  const world = {
    agents: [agentRow('engineer')],
    /** How the gateway takes a roster. */
    take: (): Promise<void> => Promise.resolve(),
    rosters: [] as (readonly RosterEntry[])[],
    problems: [] as (string | null)[],
  };
  const clock = new SimulatedClock();
  const parent = createActor(
    fromCallback<AgentSyncNews>(({ receive }) => {
      receive((event) => {
        if (event.type === 'condition.changed') world.problems.push(event.problem);
      });
    }),
  ).start();
  const machine = agentSyncMachine.provide({
    actors: {
      listAgents: fromPromise<AgentRow[]>(() => Promise.resolve(world.agents)),
      handOverRoster: fromPromise<void, { roster: readonly RosterEntry[] }>(({ input }) => {
        world.rosters.push(input.roster);
        return world.take();
      }),
    },
  });
  const actor = createActor(machine, {
    clock,
    input: {
      parent,
      intervalMs: 60_000,
      profileIntervalMs,
      backend: { baseMs: 1_000, capMs: 8_000 },
      random: () => 0,
      now: () => 0,
    },
  }).start();
  const pass = async (ms: number): Promise<void> => {
    clock.increment(ms);
    await settled();
  };
  return { world, actor, pass };
}

test('the gateway is handed the agents once, and again when they change', async () => {
  const { world, actor, pass } = syncing();
  await pass(0);
  await pass(60_000);
  await pass(60_000);
  expect(world.rosters).toEqual([[{ slug: 'engineer', name: 'engineer' }]]);

  world.agents = [agentRow('qa'), agentRow('engineer')];
  await pass(60_000);
  expect(world.rosters[1]?.map(({ slug }) => slug)).toEqual(['engineer', 'qa']);
  expect(actor.getSnapshot().value).toBe('synced');
  expect(world.problems.filter((problem) => problem !== null)).toEqual([]);
});

test('a failure is told, tried again with backoff, and forgotten when it is over', async () => {
  const { world, actor, pass } = syncing();
  world.take = () => Promise.reject(new Error('Cannot write /roster (EACCES).'));
  await pass(0);
  expect(actor.getSnapshot().value).toBe('unshared');
  expect(world.problems).toEqual([
    'The gateway cannot be told of the agents. Cannot write /roster (EACCES).',
  ]);

  await pass(500);
  expect(world.rosters).toHaveLength(2);
  await pass(500);
  expect(world.rosters).toHaveLength(2);
  await pass(500);
  expect(world.rosters).toHaveLength(3);

  world.take = () => Promise.resolve();
  await pass(2_000);
  expect(actor.getSnapshot().value).toBe('synced');
  expect(world.problems.at(-1)).toBeNull();
});

test('profiles are published where there is an interval for them, and not asked for elsewhere', () => {
  expect(Object.keys(syncing(60_000).actor.getSnapshot().children)).toContain('profileSync');
  expect(Object.keys(syncing().actor.getSnapshot().children)).not.toContain('profileSync');
});

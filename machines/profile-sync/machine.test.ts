import { createActor, fromCallback, fromPromise, SimulatedClock } from 'xstate';
import { expect, test } from 'vitest';
import { agentProfile } from '../../test/kits/samples/agent-profile.ts';
import type { ConditionChanged } from '../shared/condition.ts';
import type { AgentProfile } from '../shared/mission-control.ts';
import type { Profile } from './profile.ts';
import { profileSyncMachine } from './machine.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A machine whose backend and disk the test holds in its hands. */
function syncing() {
  const world = {
    list: (): Promise<AgentProfile[]> => Promise.resolve([agentProfile('engineer')]),
    publish: (): Promise<void> => Promise.resolve(),
    published: [] as string[][],
    problems: [] as (string | null)[],
  };
  const clock = new SimulatedClock();
  const parent = createActor(
    fromCallback<ConditionChanged>(({ receive }) => {
      receive(({ source, problem }) => {
        expect(source).toBe('profiles');
        world.problems.push(problem);
      });
    }),
  ).start();
  const actor = createActor(
    profileSyncMachine.provide({
      actors: {
        listProfiles: fromPromise(() => world.list()),
        publishProfiles: fromPromise<void, { profiles: readonly Profile[]; leftOut: readonly string[] }>(
          ({ input }) => {
            world.published.push(input.profiles.map(({ slug }) => slug));
            return world.publish();
          },
        ),
      },
    }),
    {
      clock,
      input: { parent, intervalMs: 60_000, backend: { baseMs: 1_000, capMs: 8_000 }, random: () => 0 },
    },
  ).start();
  const pass = async (ms: number): Promise<void> => {
    clock.increment(ms);
    await settled();
    await settled();
  };
  return { world, actor, pass };
}

test('the profiles are published at the start and after every interval', async () => {
  const { world, actor, pass } = syncing();
  await pass(0);
  expect(actor.getSnapshot().value).toBe('synced');
  world.list = () => Promise.resolve([agentProfile('engineer'), agentProfile('qa')]);
  await pass(60_000);
  expect(world.published).toEqual([['engineer'], ['engineer', 'qa']]);
  expect(world.problems).toEqual([null, null]);
});

test('a disk that refuses is told of, tried again with backoff, and forgotten when it is over', async () => {
  const { world, actor, pass } = syncing();
  world.publish = () => Promise.reject(new Error('Cannot write /roster/profiles (EACCES).'));
  await pass(0);
  expect(actor.getSnapshot().value).toBe('unpublished');
  expect(world.problems).toEqual([
    "The agents' profiles cannot be handed to the gateway. Cannot write /roster/profiles (EACCES).",
  ]);
  world.publish = () => Promise.resolve();
  await pass(500);
  expect(actor.getSnapshot().value).toBe('synced');
  expect(world.problems.at(-1)).toBeNull();
});

test('a backend that is away is told of, and the old profiles stay', async () => {
  const { world, actor, pass } = syncing();
  await pass(0);
  world.list = () => Promise.reject(new Error('Convex cannot be reached.'));
  await pass(60_000);
  expect(actor.getSnapshot().value).toBe('unread');
  expect(world.published).toHaveLength(1);
  expect(world.problems.at(-1)).toBe("The agents' profiles cannot be read. Convex cannot be reached.");
});

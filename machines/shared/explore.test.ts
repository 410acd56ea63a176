import { describe, expect, it } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import {
  callDone,
  callFailed,
  callsOf,
  explore,
  findStuck,
  sends,
  spawns,
  timersOf,
  type Move,
  type World,
} from '../../test/kits/explore.ts';

const counter = setup({
  types: {} as { context: { n: number }; events: { type: 'count.up' } | { type: 'count.stop' } },
  actors: { look: fromPromise<number>(() => Promise.resolve(1)) },
  delays: { pause: 10 },
  guards: { full: ({ context }) => context.n >= 3 },
  actions: { up: assign(({ context }) => ({ n: context.n + 1 })) },
}).createMachine({
  id: 'counter',
  context: { n: 0 },
  initial: 'looking',
  states: {
    looking: { invoke: { src: 'look', id: 'look', onDone: 'counting', onError: 'resting' } },
    resting: { after: { pause: 'looking' } },
    counting: {
      on: { 'count.up': { actions: 'up' }, 'count.stop': 'stopped' },
      always: { guard: 'full', target: 'stopped' },
    },
    stopped: { type: 'final' },
  },
});

const world: World<typeof counter, null> = {
  machine: counter,
  input: undefined,
  ghosts: [null],
  key: ({ value, context }) => JSON.stringify([value, context.n]),
  moves: (snapshot) => [
    ...callsOf(snapshot).flatMap(({ id }): Move<null>[] => [
      { label: 'seen', event: callDone(id, 1), ghost: null },
      { label: 'not seen', event: callFailed(id, new Error('away')), ghost: null },
    ]),
    ...timersOf(snapshot).map((event) => ({ label: 'time', event, ghost: null })),
    ...(snapshot.matches('counting') ? [{ label: 'up', event: { type: 'count.up' }, ghost: null }] : []),
  ],
};

describe('explore', () => {
  it('reaches every state once', () => {
    const { states, edges, violation, reached } = explore(world);
    expect({ states, edges, violation }).toEqual({ states: 6, edges: 7, violation: null });
    expect([...reached.keys()]).toContain('["stopped",3]');
  });

  it('gives the shortest way to what is wrong', () => {
    const check = ({ to }: { to: { context: { n: number } } }) => (to.context.n > 1 ? 'too many' : null);
    expect(explore({ ...world, check }).violation).toEqual({
      problem: 'too many',
      path: ['start', 'seen', 'up', 'up'],
    });
  });

  it('takes a machine that throws for a violation', () => {
    const throwing = counter.provide({
      guards: {
        full: ({ context }) => {
          if (context.n === 1) throw new Error('no such number');
          return false;
        },
      },
    });
    expect(explore({ ...world, machine: throwing }).violation?.problem).toContain('no such number');
  });

  it('shows what a step does to others', () => {
    const seen: string[] = [];
    explore({
      ...world,
      check: ({ effects }) => {
        seen.push(...effects.map((effect) => effect.kind));
        return spawns(effects, 'look').length > 1 || sends(effects, 'x').length > 0 ? 'odd' : null;
      },
    });
    expect(new Set(seen)).toEqual(new Set(['spawn', 'stop', 'raise']));
  });

  it('keeps what the surroundings remember', () => {
    const { reached } = explore<typeof counter, number>({
      machine: counter,
      input: undefined,
      ghosts: [0],
      key: ({ value, context }, ghost) => JSON.stringify([value, context.n, ghost]),
      moves: (snapshot, ghost) => world.moves(snapshot, null).map((move) => ({ ...move, ghost })),
      react: ({ to, after }) => Math.max(after, to.context.n),
    });
    expect([...reached.keys()].at(-1)).toBe('["stopped",3,3]');
  });

  it('finds the state from which a world does not come to its end', () => {
    const exploration = explore(world);
    const walk = (never: string) =>
      findStuck(world, exploration, {
        next: (snapshot) => world.moves(snapshot, null).find(({ label }) => label !== never) ?? null,
        done: ({ status }) => status === 'done',
        limit: 10,
      });
    expect(walk('not seen')).toBeNull();
    expect(walk('seen')?.at(-1)).toBe('not there after 10 steps');
  });
});

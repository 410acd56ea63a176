/** Every state that the journal machine can reach, whatever the disk does. */
import { expect, test } from 'vitest';
import type { EventObject, SnapshotFrom } from 'xstate';
import {
  callDone,
  callFailed,
  callsOf,
  explore,
  findStuck,
  sends,
  timersOf,
  type Edge,
  type Move,
  type World,
} from '../../test/kits/explore.ts';
import { createListener } from '../../test/kits/samples/mission-control.ts';
import { Fault } from '../shared/fault.ts';
import { journalMachine, type JournalNews } from './machine.ts';

type Snapshot = SnapshotFrom<typeof journalMachine>;

/** What the parent was told last. */
interface Ghost {
  problem: string | null;
}

const full = new Fault('journalUnavailable', 'The disk is full.');
const gone = new Fault('journalUnavailable', 'The disk is gone.');

const eventsOf = (snapshot: Snapshot): EventObject[] => [
  ...callsOf(snapshot).flatMap(({ id, src }) =>
    src === 'catchUp' ? [callDone(id, undefined), callFailed(id, gone)] : [callFailed(id, full)],
  ),
  ...timersOf(snapshot),
  { type: 'journal.failed', problem: full.message },
];

const movesOf = (snapshot: Snapshot, ghost: Ghost): Move<Ghost>[] =>
  eventsOf(snapshot).map((event) => ({ label: JSON.stringify(event), event, ghost }));

function check({ to, effects, before, after }: Edge<typeof journalMachine, Ghost>): string | null {
  if (to.matches('available') !== (after.problem === null)) return 'the parent has another word';
  const back = sends(effects, 'journal.available').length === 1;
  if (back !== (before.problem !== null && to.matches('available')))
    return 'tells of no recovery, or not of one';
  const { retryInMs } = to.context;
  return to.matches({ unavailable: 'resting' }) && (retryInMs < 500 || retryInMs > 15_000)
    ? `waits ${retryInMs} ms`
    : null;
}

const world: World<typeof journalMachine, Ghost> = {
  machine: journalMachine,
  input: {
    parent: createListener<JournalNews>().parent,
    disk: { baseMs: 1_000, capMs: 15_000 },
    random: () => 0.5,
  },
  ghosts: [{ problem: null }],
  moves: movesOf,
  react: ({ effects, after }) =>
    sends(effects, 'condition.changed').reduce<Ghost>(
      (_, { event }) => ({ problem: event.problem as string | null }),
      after,
    ),
  key: ({ value, context }, ghost) => JSON.stringify([value, ghost, Math.min(context.failures, 6)]),
  check,
};

const walk = explore(world);

test(`${walk.states} states, ${walk.edges} steps: the parent always knows how the disk is`, () => {
  expect(walk.violation).toBeNull();
  expect(walk.states).toBeGreaterThan(8);
});

test('from every state it is available once the disk takes what is written', () => {
  const next = (snapshot: Snapshot, ghost: Ghost): Move<Ghost> | null => {
    const call = callsOf(snapshot).find(({ src }) => src === 'catchUp');
    const event = call === undefined ? timersOf(snapshot)[0] : callDone(call.id, undefined);
    return event === undefined ? null : { label: event.type, event, ghost };
  };
  const done = (snapshot: Snapshot): boolean => snapshot.matches('available');
  expect(findStuck(world, walk, { next, done, limit: 3 })).toBeNull();
});

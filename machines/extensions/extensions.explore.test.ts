/** Every state that the extensions machine can reach, with every answer and every fate of the subscription. */
import { describe, expect, test } from 'vitest';
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
import { Fault } from '../shared/fault.ts';
import { createListener } from '../../test/kits/samples/mission-control.ts';
import { extensionsMachine, type ExtensionsNews } from './machine.ts';

type Snapshot = SnapshotFrom<typeof extensionsMachine>;

interface Ghost {
  /** What delivery was last told. */
  watched: boolean;
  /** The last answer; null when there was none. */
  answer: 'none' | 'others' | 'wakeUp' | null;
}

const BACKEND = { baseMs: 5_000, capMs: 60_000 };
const ANSWERS: Record<NonNullable<Ghost['answer']>, string[]> = {
  none: [],
  others: ['somethingElse'],
  wakeUp: ['wakeUp'],
};
const away = new Fault('backendUnavailable', 'Away.');
const refused = new Fault('backendRefused', 'No.');
const hidden = new Fault('backendRejected', 'Hidden.');

function movesOf(snapshot: Snapshot, ghost: Ghost): Move<Ghost>[] {
  const asked = callsOf(snapshot).find(({ src }) => src === 'askExtensions');
  const answers =
    asked === undefined
      ? []
      : Object.entries(ANSWERS).map(([answer, functions]) => ({
          label: `offers ${answer}`,
          event: callDone(asked.id, functions),
          ghost: { ...ghost, answer: answer as Ghost['answer'] },
        }));
  const failures = callsOf(snapshot).flatMap(({ id }) =>
    [away, refused].map((fault) => callFailed(id, fault)),
  );
  const events: EventObject[] = [...failures, ...timersOf(snapshot), ...newsOf(snapshot)];
  return [...answers, ...events.map((event) => ({ label: JSON.stringify(event), event, ghost }))];
}

const newsOf = (snapshot: Snapshot): EventObject[] => [
  { type: 'backend.available' },
  ...(snapshot.matches('watching')
    ? [
        { type: 'watch.began' },
        { type: 'watch.lost' },
        { type: 'queue.changed' },
        ...[away, refused, hidden].map((fault) => ({ type: 'watch.failed', fault })),
      ]
    : []),
];

const isConnected = (snapshot: Snapshot): boolean => snapshot.matches({ watching: 'connected' });

function check({
  from,
  to,
  event,
  effects,
  before,
  after,
}: Edge<typeof extensionsMachine, Ghost>): string | null {
  if (isConnected(to) !== after.watched)
    return `delivery takes the queue for ${after.watched ? '' : 'un'}watched`;
  if (sends(effects, 'queue.watched').length > 0 && before.watched) return 'is watched twice';
  if (to.matches('absent') && after.answer !== 'none') return 'takes trouble for absence';
  if (to.matches('watching') && after.answer !== 'wakeUp') return 'subscribes to what is not offered';
  const told = sends(effects, 'queue.changed').length === 1;
  const isNews = event?.type === 'queue.changed' && from !== null && isConnected(from);
  if (told !== isNews) return 'tells of no change, or not of one';
  const { retryInMs } = to.context;
  const waits = to.matches('unsure') || to.matches('refused');
  return !waits || (retryInMs >= 1 && retryInMs <= 60_000) ? null : `waits ${retryInMs} ms`;
}

const worldOf = (wakeUp: boolean): World<typeof extensionsMachine, Ghost> => ({
  machine: extensionsMachine,
  input: { parent: createListener<ExtensionsNews>().parent, wakeUp, backend: BACKEND, random: () => 0.5 },
  ghosts: [{ watched: false, answer: null }],
  moves: movesOf,
  react: ({ effects, after }) =>
    effects.reduce<Ghost>((ghost, effect) => {
      if (effect.kind !== 'send') return ghost;
      if (effect.event.type === 'queue.watched') return { ...ghost, watched: true };
      return effect.event.type === 'queue.unwatched' ? { ...ghost, watched: false } : ghost;
    }, after),
  key: ({ value, context }, ghost) =>
    JSON.stringify([value, ghost, context.functions, Math.min(context.failures, 2)]),
  check: wakeUp ? check : () => null,
});

describe('WAKE_UP=auto', () => {
  const world = worldOf(true);
  const walk = explore(world);

  test(`${walk.states} states, ${walk.edges} steps: delivery always knows, trouble is never absence`, () => {
    expect(walk.violation).toBeNull();
    expect(walk.states).toBeGreaterThan(30);
  });

  test('from every state it is connected once the backend offers it and answers', () => {
    const next = (snapshot: Snapshot, ghost: Ghost): Move<Ghost> | null => {
      const asked = callsOf(snapshot).find(({ src }) => src === 'askExtensions');
      if (asked !== undefined) {
        const event = callDone(asked.id, ANSWERS.wakeUp);
        return { label: 'offers it', event, ghost: { ...ghost, answer: 'wakeUp' } };
      }
      const event = snapshot.matches('watching') ? { type: 'watch.began' } : timersOf(snapshot)[0];
      return event === undefined ? null : { label: event.type, event, ghost };
    };
    expect(findStuck(world, walk, { next, done: isConnected, limit: 4 })).toBeNull();
  });

  test('something is always about to happen', () => {
    for (const { snapshot } of walk.reached.values()) {
      expect(callsOf(snapshot).length + timersOf(snapshot).length).toBeGreaterThan(0);
    }
  });
});

test('WAKE_UP=off never subscribes, and still asks what else there is', () => {
  const walk = explore(worldOf(false));
  expect(walk.violation).toBeNull();
  for (const { snapshot } of walk.reached.values()) expect(snapshot.matches('watching')).toBe(false);
});

/** Every state that the upgrade machine can reach, with every answer that Mission Control may give. */
import { describe, expect, test } from 'vitest';
import type { EventObject, SnapshotFrom } from 'xstate';
import {
  callDone,
  callFailed,
  callsOf,
  explore,
  findStuck,
  sends,
  spawns,
  timersOf,
  type Effect,
  type Edge,
  type Move,
  type World,
} from '../../test/kits/explore.ts';
import { Fault } from '../shared/fault.ts';
import { createListener } from '../../test/kits/samples/mission-control.ts';
import type { UpgradeFacts } from './judge.ts';
import { upgradeMachine, type UpgradeNews } from './machine.ts';

type Snapshot = SnapshotFrom<typeof upgradeMachine>;

/** What was asked, and what the process has done about it. */
interface Ghost {
  remembered: boolean;
  asked: 'drain' | null;
  /** /health shows that the request cannot be carried out. */
  isProblem: boolean;
  /** /health shows that Mission Control cannot be asked. */
  isUnheard: boolean;
}

const running = { openclawVersion: '1', runtimeVersion: '1.0.0' };
const pending = {
  targetOpenclawVersion: '1',
  targetRuntimeVersion: '2.0.0',
  initiatedAt: 1,
  initiatedBy: 'a',
  strategy: 'immediate',
} as const;
const calm: UpgradeFacts = { pending: null, restartRequested: false, running, leftFor: null };
const FACTS: UpgradeFacts[] = [
  calm,
  { ...calm, pending },
  { ...calm, pending, leftFor: { request: pending, from: running } },
  { ...calm, restartRequested: true },
];

function answersTo({ id, src }: { id: string; src: string }): EventObject[] {
  const failure = callFailed(id, new Fault('backendUnavailable', 'Away.'));
  if (src === 'tellResult') return [callDone(id, null), callDone(id, 'It cannot be read.'), failure];
  if (src === 'rememberExit') return [callDone(id, undefined), failure];
  return [...FACTS.map((facts) => callDone(id, facts)), failure];
}

function movesOf(snapshot: Snapshot, ghost: Ghost): Move<Ghost>[] {
  const events = [
    ...callsOf(snapshot).flatMap(answersTo),
    ...timersOf(snapshot),
    { type: 'upgrade.check' },
    { type: 'upgrade.force' },
  ];
  return events.map((event) => ({ label: JSON.stringify(event), event, ghost }));
}

/** Whether /health shows a problem of the source. */
const shown = (effects: readonly Effect[], source: string, before: boolean): boolean =>
  sends(effects, 'condition.changed')
    .filter(({ event }) => event.source === source)
    .reduce((_, { event }) => event.problem !== null, before);

const worldOf = (mode: 'exit' | 'notify'): World<typeof upgradeMachine, Ghost> => ({
  machine: upgradeMachine,
  input: { parent: createListener<UpgradeNews>().parent, mode },
  ghosts: [{ remembered: false, asked: null, isProblem: false, isUnheard: false }],
  moves: movesOf,
  react: ({ effects, after }) => ({
    remembered: after.remembered || spawns(effects, 'rememberExit').length > 0,
    asked: sends(effects, 'upgrade.requested').length > 0 ? 'drain' : after.asked,
    isProblem: shown(effects, 'upgrade', after.isProblem),
    isUnheard: shown(effects, 'requests', after.isUnheard),
  }),
  key: ({ value, context }, ghost) =>
    JSON.stringify([
      value,
      ghost,
      context.verdict,
      context.pending,
      context.resultProblem,
      Math.min(context.unheard, 2),
    ]),
  check: (edge) => check(mode, edge),
});

function check(
  mode: 'exit' | 'notify',
  { from, to, event, effects, before }: Edge<typeof upgradeMachine, Ghost>,
): string | null {
  const requests = sends(effects, 'upgrade.requested').length;
  if (requests !== (to.status === 'done' ? 1 : 0)) return `asks for the drain ${requests} times`;
  if (requests > 0 && !before.remembered) return 'leaves without having written down why';
  const entersCommitting = to.matches('committing') && from?.matches('committing') !== true;
  const { pending: asked, restartRequested } = (event as { output?: UpgradeFacts } | null)?.output ?? calm;
  const forced = event?.type === 'upgrade.force';
  if (entersCommitting && !forced && !restartRequested && (mode === 'notify' || asked === null)) {
    return 'leaves although nobody asked it to';
  }
  return null;
}

describe.each(['exit', 'notify'] as const)('UPGRADE_MODE=%s', (mode) => {
  const world = worldOf(mode);
  const walk = explore(world);

  test(`${walk.states} states, ${walk.edges} steps: leaves once, for a reason that is written down`, () => {
    expect(walk.violation).toBeNull();
    expect(walk.states).toBeGreaterThanOrEqual(10);
  });

  test('a request that this process has left for holds it back, and it stays', () => {
    const held = [...walk.reached.values()].filter(({ snapshot }) => snapshot.matches('heldBack'));
    expect(held.length > 0).toBe(mode === 'exit');
    for (const { snapshot } of held) expect(snapshot.hasTag('attention')).toBe(true);
  });

  test('it is a problem on /health for as long as a request holds it back', () => {
    const wrong = [...walk.reached.values()].filter(
      ({ snapshot, ghost }) => ghost.isProblem !== (snapshot.context.verdict === 'heldBack'),
    );
    expect(wrong).toEqual([]);
  });

  test('it is a problem on /health when Mission Control could not be asked twice in a row, and it asks again', () => {
    const all = [...walk.reached.values()];
    expect(all.filter(({ snapshot, ghost }) => ghost.isUnheard !== snapshot.context.unheard >= 2)).toEqual(
      [],
    );
    const unheard = all.filter(
      ({ snapshot }) => snapshot.context.unheard > 0 && snapshot.status === 'active',
    );
    expect(unheard.length).toBeGreaterThan(0);
    for (const { snapshot } of unheard) {
      expect(callsOf(snapshot).length + timersOf(snapshot).length).toBeGreaterThan(0);
    }
  });

  test('SIGUSR2 is followed from every state', () => {
    const next = (snapshot: Snapshot, ghost: Ghost): Move<Ghost> => {
      const [call] = callsOf(snapshot);
      const event = call?.src === 'rememberExit' ? callDone(call.id, undefined) : { type: 'upgrade.force' };
      return { label: event.type, event, ghost };
    };
    const done = (snapshot: Snapshot, ghost: Ghost): boolean =>
      snapshot.status === 'done' && ghost.asked === 'drain';
    expect(findStuck(world, walk, { next, done, limit: 4 })).toBeNull();
  });
});

/** reap.ts leans on an internal event of XState: this holds it to what it promises. */
import { expect, test } from 'vitest';
import { assign, createActor, fromCallback, setup, type AnyActorRef } from 'xstate';
import { reap } from './reap.ts';

/** A machine two levels above a callback that says when it is cleaned up; `boom` makes its own action throw. */
function startFamily() {
  const cleaned: string[] = [];
  const callback = fromCallback(() => () => cleaned.push('callback'));
  const middle = setup({ actors: { callback } }).createMachine({
    invoke: { src: 'callback', id: 'callback' },
  });
  const top = setup({ actors: { middle } }).createMachine({
    invoke: { src: 'middle', id: 'middle' },
    on: {
      boom: {
        actions: assign(() => {
          throw new Error('a bug');
        }),
      },
    },
  });
  const actor = createActor(top);
  actor.subscribe({ error: () => undefined });
  actor.start();
  return { actor, cleaned };
}

const childOf = (actor: AnyActorRef, id: string): AnyActorRef => {
  const { children } = actor.getSnapshot() as { children: Record<string, AnyActorRef> };
  const child = children[id];
  if (child === undefined) throw new Error(`no child ${id}`);
  return child;
};

test('XState leaves the children of a machine running whose action throws', () => {
  const { actor, cleaned } = startFamily();
  actor.send({ type: 'boom' });
  actor.stop();
  expect(actor.getSnapshot().status).toBe('error');
  expect(cleaned).toEqual([]);
});

test('reap stops them, at every level', () => {
  const { actor, cleaned } = startFamily();
  const middle = childOf(actor, 'middle');
  const callback = childOf(middle, 'callback');
  actor.send({ type: 'boom' });
  reap(actor);
  expect(cleaned).toEqual(['callback']);
  expect(middle.getSnapshot()).toMatchObject({ status: 'stopped' });
  expect(callback.getSnapshot()).toMatchObject({ status: 'stopped' });
});

test('reaping what is gone, or twice, does nothing', () => {
  const { actor, cleaned } = startFamily();
  reap(undefined);
  actor.send({ type: 'boom' });
  reap(actor);
  reap(actor);
  expect(cleaned).toEqual(['callback']);
});

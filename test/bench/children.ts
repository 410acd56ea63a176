import { createActor, enqueueActions, fromCallback, setup } from 'xstate';

const CHILDREN = 1_000;
const ROUNDS = 200;

/**
 * What it costs to stop one of a thousand children and to start it again (docs/adr/0012).
 * @param idOf names the nth
 * @returns microseconds
 */
export function replaceOneOfMany(idOf: (n: number) => string): number {
  const machine = setup({
    types: { events: {} as { type: 'start' | 'stop'; id: string } },
    actors: { child: fromCallback(() => undefined) },
    actions: {
      startChild: enqueueActions(({ enqueue }, { id }: { id: string }) =>
        enqueue.spawnChild('child', { id }),
      ),
      stopChild: enqueueActions(({ enqueue }, { id }: { id: string }) => enqueue.stopChild(id)),
    },
  }).createMachine({
    on: {
      start: { actions: { type: 'startChild', params: ({ event }) => event } },
      stop: { actions: { type: 'stopChild', params: ({ event }) => event } },
    },
  });
  const actor = createActor(machine).start();
  for (let n = 0; n < CHILDREN; n++) actor.send({ type: 'start', id: idOf(n) });
  const began = performance.now();
  for (let n = 0; n < ROUNDS; n++) {
    actor.send({ type: 'stop', id: idOf(n) });
    actor.send({ type: 'start', id: idOf(n) });
  }
  const us = ((performance.now() - began) * 1_000) / ROUNDS;
  actor.stop();
  return us;
}

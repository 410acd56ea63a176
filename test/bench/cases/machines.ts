import { createActor, fromPromise, type InspectionEvent } from 'xstate';
import type { DeliveryContext, NotificationRow } from '../../../machines/shared/mission-control.ts';
import { NOTHING_KNOWN } from '../../../machines/lane/context.ts';
import { deliveryMachine } from '../../../machines/delivery/machine.ts';
import { laneMachine } from '../../../machines/lane/machine.ts';
import {
  createListener,
  sampleContext,
  sampleRow,
  sampleTask,
} from '../../../machines/shared/samples.test-kit.ts';
import { createStateClock } from '../../../src/health/state-clock.ts';
import type { DeliveryNews } from '../../../machines/delivery/context.ts';
import type { Benchmark } from '../benchmark.ts';

const ROUNDS = 3;

export const machines: Benchmark = {
  name: 'machines',
  what: 'events per second through delivery and lane alone, with 10 and 500 sessions, and the cost of observing them',
  async run({ figure }) {
    for (const [sessions, rows] of [
      [10, 2_000],
      [500, 2_000],
    ] as const) {
      const plain: number[] = [];
      const observed: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        plain.push(await play(rows, sessions));
        const clock = createStateClock(() => Date.now());
        observed.push(await play(rows, sessions, clock.observe));
      }
      const best = Math.min(...plain);
      const name = `machines.${sessions}_sessions`;
      const events = await countEvents(rows, sessions);
      figure({ name: `${name}.events`, value: events / (best / 1_000), unit: 'events/s' });
      figure({ name: `${name}.delivery`, value: best / rows, unit: 'ms/delivery' });
      figure({
        name: `${name}.observed`,
        value: Math.min(...observed) / rows,
        unit: 'ms/delivery',
        ratio: Math.min(...observed) / best,
      });
    }
  },
};

async function countEvents(rows: number, sessions: number): Promise<number> {
  let events = 0;
  await play(rows, sessions, ({ type }) => {
    if (type === '@xstate.event') events += 1;
  });
  return events;
}

/** Delivers all rows with calls that succeed at once. @returns milliseconds */
async function play(
  count: number,
  sessions: number,
  inspect?: (event: InspectionEvent) => void,
): Promise<number> {
  const rows = new Map<string, NotificationRow>();
  const contexts = new Map<string, DeliveryContext>();
  for (let n = 0; n < count; n++) {
    const _id = `n${n}`;
    const taskId = `task-${n % sessions}`;
    const row = sampleRow({ _id, taskId, createdAt: n, messageId: `m${n}` });
    rows.set(_id, row);
    contexts.set(
      _id,
      sampleContext({
        notification: row,
        task: sampleTask({ _id: taskId }),
        deliverySessionKey: `session:${taskId}`,
      }),
    );
  }
  const contextOf = (id: string): DeliveryContext | null => contexts.get(id) ?? null;
  const done = Promise.withResolvers<undefined>();
  const lane = laneMachine.provide({
    actors: {
      loadJob: fromPromise(({ input }) =>
        Promise.resolve({
          entry: NOTHING_KNOWN,
          delivery: contextOf(input.notificationId),
          completes: false,
        }),
      ),
      runAgent: fromPromise(() =>
        Promise.resolve({ reply: { text: 'Done.', toolCalls: 0 }, attempts: 1, runMs: 1 }),
      ),
      postMessage: fromPromise(() => Promise.resolve()),
      rereadRow: fromPromise(({ input }) => Promise.resolve(contextOf(input.notificationId))),
      markDelivered: fromPromise(({ input }) => {
        rows.delete(input.notificationId);
        if (rows.size === 0) done.resolve(undefined);
        return Promise.resolve(null);
      }),
      handBack: fromPromise(() => Promise.resolve()),
      beat: fromPromise(() => Promise.resolve({ runMs: 1 })),
    },
  });
  const machine = deliveryMachine.provide({
    actors: {
      lane,
      listUndelivered: fromPromise(({ input }) =>
        Promise.resolve({ rows: [...rows.values()].slice(0, input.limit), unseen: false }),
      ),
    },
  });
  const limits = { baseMs: 1_000, capMs: 8_000 };
  const actor = createActor(machine, {
    ...(inspect && { inspect }),
    input: {
      parent: createListener<DeliveryNews>().parent,
      settings: {
        intervalMs: 15_000,
        backend: limits,
        session: limits,
        maxConcurrentSessions: sessions,
        listLimit: 500,
      },
      gate: 'open',
      watched: false,
      random: () => 0.5,
      now: () => 0,
    },
  });
  const began = performance.now();
  actor.start();
  await done.promise;
  const ms = performance.now() - began;
  actor.stop();
  return ms;
}

import { createActor, fromPromise, type InspectionEvent, type OutputFrom } from 'xstate';
import type { notificationActors } from '../../../machines/notification/actors.ts';
import type { DeliveryContext, NotificationRow } from '../../../machines/shared/mission-control.ts';
import { deliveryInput } from '../../kits/delivery-input.ts';
import { deliveryMachine } from '../../../machines/delivery/machine.ts';
import { notificationMachine } from '../../../machines/notification/machine.ts';
import { sampleContext, sampleRow, sampleTask } from '../../kits/samples/mission-control.ts';
import { createStateClock } from '../../../src/health/state-clock.ts';
import type { Benchmark } from '../benchmark.ts';
import { replaceOneOfMany } from '../children.ts';

const ROUNDS = 3;

const REPLIED: OutputFrom<(typeof notificationActors)['runAgent']> = {
  reply: { text: 'Done.', toolCalls: 0 },
  calls: [],
  runMs: 1,
};

export const machines: Benchmark = {
  name: 'machines',
  what: 'events per second through delivery and notifications alone, with 10 and 500 sessions, the cost of observing them, and of a child among 1,000',
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
    const byNumber = replaceOneOfMany(String);
    const byName = replaceOneOfMany((n) => `notification:agent-${n % 10}/task-${n}`);
    figure({ name: 'machines.1000_children.by_number', value: byNumber, unit: 'µs/stop and start' });
    figure({
      name: 'machines.1000_children.by_name',
      value: byName,
      unit: 'µs/stop and start',
      ratio: byName / byNumber,
    });
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
  const notification = notificationMachine.provide({
    actors: {
      readContext: fromPromise(({ input }) =>
        Promise.resolve({ delivery: contextOf(input.id), completes: false, typing: true }),
      ),
      runAgent: fromPromise(() => Promise.resolve(REPLIED)),
      postMessage: fromPromise(() => Promise.resolve()),
      rereadRow: fromPromise(({ input }) => Promise.resolve(contextOf(input.id))),
      markDelivered: fromPromise(({ input }) => {
        rows.delete(input.id);
        if (rows.size === 0) done.resolve(undefined);
        return Promise.resolve(null);
      }),
    },
  });
  const machine = deliveryMachine.provide({
    actors: {
      notification,
      listUndelivered: fromPromise(({ input }) =>
        Promise.resolve({
          rows: [...rows.values()]
            .slice(0, input.limit)
            .map((row) => ({ row, entry: null, given: contextOf(row._id) })),
          listed: Math.min(input.limit, rows.size),
          unseen: false,
          cursor: null,
        }),
      ),
    },
  });
  const actor = createActor(machine, {
    ...(inspect && { inspect }),
    input: deliveryInput({ settings: { maxConcurrentSessions: sessions, listLimit: 500 } }),
  });
  const began = performance.now();
  actor.start();
  await done.promise;
  const ms = performance.now() - began;
  actor.stop();
  return ms;
}

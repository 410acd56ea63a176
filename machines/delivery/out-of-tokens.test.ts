/** The threads of an agent that rests are told, for the first row that somebody waits for. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { deliveryInput } from '../../test/kits/delivery-input.ts';
import { createListener, sampleAgent, sampleRow, settle } from '../../test/kits/samples/mission-control.ts';
import type { BeatAnswer, ListInput, Page, RestNote, RestNoteOutput } from './context.ts';
import { deliveryMachine } from './machine.ts';

const DAY_MS = 86_400_000;
const SPENT = { agentId: 'agent-e', agent: 'engineer', tokens: 9, used: 0, dayEndsInMs: DAY_MS };

/** Delivery whose only agent rests. `due`: rows that somebody waits for. @returns rows that the thread was told for */
async function restWith(
  due: readonly string[],
  ...pages: (readonly [id: string, createdAt: number])[][]
): Promise<string[]> {
  const clock = new SimulatedClock();
  const asked: string[] = [];
  const actor = createActor(
    deliveryMachine.provide({
      actors: {
        listUndelivered: fromPromise<Page, ListInput>(() => {
          const rows = (pages.length > 1 ? pages.shift() : pages[0]) ?? [];
          const page = rows.map(([_id, createdAt]) => ({
            row: sampleRow({ _id, taskId: 'a', createdAt }),
            entry: null,
            given: null,
          }));
          return Promise.resolve({ rows: page, listed: page.length, unseen: false, cursor: null });
        }),
        tellRest: fromPromise<RestNoteOutput, RestNote>(({ input: { session, title, notificationId } }) => {
          expect(title).toBe(`engineer · ${sampleRow().title}`);
          asked.push(notificationId);
          const result = due.includes(notificationId) ? 'told' : 'notDue';
          return Promise.resolve({ kind: 'restNote', session, notificationId, result });
        }),
      },
    }),
    {
      clock,
      input: deliveryInput({
        spent: () => [SPENT],
        settings: { tokenLimits: { all: 1, bySlug: {} }, listLimit: 10 },
      }),
    },
  ).start();
  for (let n = 0; n < 20; n += 1) {
    await settle();
    clock.increment(15_000);
  }
  actor.stop();
  return asked;
}

it('is asked once for a row that nobody waits for, and goes on to the next one', async () => {
  expect(
    await restWith(
      ['a3'],
      [
        ['a1', 1],
        ['a2', 2],
        ['a3', 3],
        ['a4', 4],
      ],
    ),
  ).toEqual(['a1', 'a2', 'a3']);
});

it('is asked for a row that comes later', async () => {
  expect(
    await restWith(
      ['a2'],
      [['a1', 1]],
      [
        ['a1', 1],
        ['a2', 2],
      ],
    ),
  ).toEqual(['a1', 'a2']);
});

it('is asked again for a row that a newer message was coalesced into', async () => {
  const asked = await restWith([], [['a1', 1]], [['a1', 5]]);
  expect(asked.length).toBeGreaterThan(1);
  expect(new Set(asked)).toEqual(new Set(['a1']));
});

it('skips the beat of an agent that rests: the agent is not away', () => {
  const { parent: replyTo, heard } = createListener<BeatAnswer>();
  const input = deliveryInput({ spent: () => [SPENT], settings: { tokenLimits: { all: 1, bySlug: {} } } });
  const listUndelivered = fromPromise<Page, ListInput>(() => new Promise(() => undefined));
  const actor = createActor(deliveryMachine.provide({ actors: { listUndelivered } }), { input }).start();
  actor.send({ type: 'beat.due', agent: sampleAgent({ _id: 'agent-e' }), seen: [], replyTo });
  expect(heard).toEqual([{ type: 'beat.done', focus: null }]);
  actor.stop();
});

it('says nothing of the row whose answer is on its way', async () => {
  const asked: string[] = [];
  const rows = ['a1', 'a2'].map((_id, createdAt) => sampleRow({ _id, taskId: 'a', createdAt }));
  const actor = createActor(
    deliveryMachine.provide({
      actors: {
        listUndelivered: fromPromise<Page, ListInput>(() =>
          Promise.resolve({
            rows: rows.map((row) => ({ row, entry: null, given: null })),
            listed: rows.length,
            unseen: false,
            cursor: null,
          }),
        ),
        tellRest: fromPromise<RestNoteOutput, RestNote>(({ input: { session, notificationId } }) => {
          asked.push(notificationId);
          return Promise.resolve({ kind: 'restNote', session, notificationId, result: 'told' });
        }),
      },
    }),
    {
      clock: new SimulatedClock(),
      input: deliveryInput({ settings: { tokenLimits: { all: 1, bySlug: {} }, listLimit: 10 } }),
    },
  ).start();
  await settle();
  const session = 'agent-e/a';
  const who = { agent: 'engineer', title: 'engineer' };
  actor.send({ type: 'slot.wanted', session, who, alone: false });
  actor.send({ type: 'slot.returned', session });
  actor.send({ type: 'tokens.spent', spent: { ...SPENT, used: 9 } });
  await settle();
  actor.stop();
  expect(asked).toEqual(['a2']);
});

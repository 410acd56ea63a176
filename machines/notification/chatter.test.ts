import { describe, expect, it, test } from 'vitest';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import {
  createListener,
  sampleContext,
  sampleMessage,
  sampleRow,
  sampleTask,
  settle,
} from '../../test/kits/samples/mission-control.ts';
import { freshGhost, inputOf } from '../../test/kits/notification-world.ts';
import type { DeliveryContext, NotificationRow, ThreadMessage } from '../shared/mission-control.ts';
import type { WriteAhead } from './actors.ts';
import type { ChildNews } from '../shared/child-messages.ts';
import { notificationMachine } from './machine.ts';
import { chatterNote, isChatter, isChatterNoted, paceOf, threadOf, type Thread } from './chatter.ts';

const LIMIT = 12;

const says = (authorType: 'agent' | 'user', createdAt: number, content = 'Go on.'): ThreadMessage => ({
  messageId: `m${createdAt}`,
  authorType,
  authorId: authorType === 'user' ? 'user' : `agent-${createdAt % 2}`,
  authorName: null,
  content,
  createdAt,
});

/** A person wrote at 0, and then so many agents. */
const chainOf = (agents: number): ThreadMessage[] => [
  says('user', 1),
  ...Array.from({ length: agents }, (_, n) => says('agent', n + 2)),
];

const contextWith = (
  thread: ThreadMessage[],
  {
    author = 'agent',
    row = {},
    status = 'in_progress',
  }: {
    author?: 'agent' | 'user';
    row?: Partial<NotificationRow>;
    status?: 'in_progress' | 'review';
  } = {},
): DeliveryContext =>
  sampleContext({
    notification: { ...sampleRow(), type: 'thread_update', ...row },
    task: sampleTask({ status }),
    message: sampleMessage({ authorType: author }),
    thread,
  });

const seen = (context: DeliveryContext, known: Thread | null = null): Thread | null =>
  threadOf(context, known);

describe('the count', () => {
  it.each([0, 1, 2])('is not worth remembering at %d messages of agents', (agents) => {
    expect(seen(contextWith(chainOf(agents)))).toBeNull();
  });

  it('starts behind the last word of a person', () => {
    expect(
      seen(contextWith([...chainOf(9), says('user', 50), ...[51, 52, 53].map((at) => says('agent', at))])),
    ).toMatchObject({
      chain: 3,
    });
  });

  it('takes what one agent says in a row for one', () => {
    const answers = [2, 4, 6, 8, 10].map((at) => says('agent', at));
    expect(seen(contextWith([says('user', 1), ...answers]))).toBeNull();
  });

  it('starts over when the task changes, and goes on from there', () => {
    const before = seen(contextWith(chainOf(12)));
    expect(before?.chain).toBe(12);
    const changed = seen(contextWith(chainOf(12), { status: 'review' }), before);
    expect(changed?.chain).toBe(0);
    expect(seen(contextWith(chainOf(15), { status: 'review' }), changed)?.chain).toBe(3);
  });

  it('does not count our own note', () => {
    expect(seen(contextWith([...chainOf(12), says('agent', 90, chatterNote())]))?.chain).toBe(12);
  });
});

test.each([
  ['fewer than the limit', contextWith(chainOf(LIMIT - 1)), false],
  ['the limit', contextWith(chainOf(LIMIT)), true],
  ['a mention by an agent', contextWith(chainOf(LIMIT), { row: { type: 'mention' } }), true],
  ['a message of a person', contextWith(chainOf(LIMIT), { author: 'user' }), false],
  ['an assignment', contextWith(chainOf(LIMIT), { row: { type: 'assignment' } }), false],
] as const)('%s: held is %s', (_what, context, held) => {
  expect(isChatter(context, seen(context), LIMIT)).toBe(held);
});

test('a limit of 0 holds nothing and slows nothing', () => {
  const context = contextWith(chainOf(40));
  expect(isChatter(context, seen(context), 0)).toBe(false);
  expect(paceOf(context, seen(context), 0)).toBe(0);
});

test('from the fourth reply on each waits twice as long, starting at 2 s', () => {
  const waits = [0, 1, 2, 3, 4, 5, 6].map((agents) => {
    const context = contextWith(chainOf(agents));
    return paceOf(context, seen(context), LIMIT);
  });
  expect(waits).toEqual([0, 0, 0, 2_000, 4_000, 8_000, 16_000]);
});

test('however high the limit, no reply waits for more than an hour', () => {
  const context = contextWith(chainOf(60));
  expect(paceOf(context, seen(context), 1_000)).toBe(3_600_000);
});

test('a reply keeps its pace when another row of its session comes, until a person writes', async () => {
  const paced = contextWith(chainOf(4), { row: { type: 'mention' } });
  let reread = paced;
  const clock = new SimulatedClock();
  const { parent, heard } = createListener<ChildNews>();
  const read = (delivery: DeliveryContext | null) => ({ delivery, completes: false, typing: false });
  const machine = notificationMachine.provide({
    actors: {
      readContext: fromPromise(() => Promise.resolve(read(reread))),
      rereadRow: fromPromise<DeliveryContext | null, WriteAhead>(() => Promise.resolve(reread)),
    },
  });
  const input = { ...inputOf(freshGhost('mention')), parent, row: paced.notification };
  const actor = createActor(machine, { clock, input }).start();
  const asked = () => heard.some(({ type }) => type === 'slot.wanted');
  await settle();
  for (let n = 0; n < 3; n += 1) {
    actor.send({ type: 'row.stirred' });
    await settle();
    clock.increment(1_000);
  }
  expect(asked()).toBe(false);
  clock.increment(1_000);
  expect(asked()).toBe(true);

  heard.length = 0;
  const other = createActor(machine, { clock, input }).start();
  await settle();
  expect(asked()).toBe(false);
  reread = contextWith([...chainOf(4), says('user', 50)], { row: { type: 'mention' } });
  other.send({ type: 'row.stirred' });
  await settle();
  expect(asked()).toBe(true);
});

test('a look that fails, or that a newer message overtakes, is repeated', async () => {
  const paced = contextWith(chainOf(10), { row: { type: 'mention' } });
  const person = contextWith([...chainOf(10), says('user', 50)], { row: { type: 'mention' } });
  const looks: { answer: (context: DeliveryContext) => void; fail: (error: Error) => void }[] = [];
  let known = paced;
  const { parent, heard } = createListener<ChildNews>();
  const read = (delivery: DeliveryContext | null) => ({ delivery, completes: false, typing: false });
  const machine = notificationMachine.provide({
    actors: {
      readContext: fromPromise(() => Promise.resolve(read(known))),
      rereadRow: fromPromise<DeliveryContext | null, WriteAhead>(
        () => new Promise((answer, fail) => looks.push({ answer, fail })),
      ),
    },
  });
  const input = { ...inputOf(freshGhost('mention')), parent, row: paced.notification };
  const actor = createActor(machine, { clock: new SimulatedClock(), input }).start();
  await settle();
  actor.send({ type: 'row.stirred' });
  actor.send({ type: 'row.stirred' });
  expect(looks).toHaveLength(2);
  looks[1]?.fail(new Error('Convex is away'));
  await settle();
  actor.send({ type: 'backend.available' });
  expect(looks).toHaveLength(3);
  known = person;
  looks[2]?.answer(person);
  await settle();
  expect(heard.some(({ type }) => type === 'slot.wanted')).toBe(true);
});

test('a person is answered at once', () => {
  const context = contextWith(chainOf(8), { author: 'user' });
  expect(paceOf(context, seen(context), LIMIT)).toBe(0);
});

test('the note is recognised until a person writes', () => {
  const noted = [...chainOf(LIMIT), says('agent', 90, chatterNote())];
  expect(isChatterNoted(contextWith(chainOf(LIMIT)))).toBe(false);
  expect(isChatterNoted(contextWith(noted))).toBe(true);
  expect(isChatterNoted(contextWith([...noted, says('user', 91)]))).toBe(false);
});

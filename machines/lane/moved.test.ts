/** A newer message moves a row (contract, section 7): in line, right before the mark, and while a post is in doubt. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, type InputFrom } from 'xstate';
import { Fault } from '../shared/fault.ts';
import type { DeliveryContext, NotificationRow } from '../shared/mission-control.ts';
import { createListener, sampleContext, sampleRow } from '../../test/kits/samples/mission-control.ts';
import { NOTHING_KNOWN, type LaneEntry, type LaneNews } from './context.ts';
import { laneMachine } from './machine.ts';
import type { laneActors } from './actors.ts';

type Post = InputFrom<typeof laneActors.postMessage>;

interface World {
  entry: LaneEntry;
  /** The row as delivery has it. */
  listed: NotificationRow;
  /** What the backend shows of the row, call by call; the last one stays. */
  shown: NotificationRow[];
  /** What the mark gives back, call by call. */
  marks: (DeliveryContext | null)[];
  /** A rule skips the row as it is listed. */
  skipped: boolean;
  /** How often the backend does not take a message. */
  lostPosts: number;
  posts: Post[];
  runs: number;
}

const LISTED = sampleRow({ type: 'thread_update' });
const MOVED = sampleRow({ type: 'thread_update', messageId: 'm2', createdAt: 2_000 });
/** The first message has nobody to answer it: a rule skips it. */
const contextOf = (notification: NotificationRow, skipped = false): DeliveryContext =>
  sampleContext({ notification, ...(skipped && notification.messageId !== 'm2' && { agent: null }) });

function startLane(changes: Partial<World>) {
  const world: World = {
    entry: NOTHING_KNOWN,
    listed: LISTED,
    shown: [LISTED],
    marks: [],
    skipped: false,
    lostPosts: 0,
    posts: [],
    runs: 0,
    ...changes,
  };
  const show = (): DeliveryContext | null =>
    contextOf((world.shown.length > 1 ? world.shown.shift() : world.shown[0]) ?? LISTED, world.skipped);
  const { parent, heard } = createListener<LaneNews>();
  const machine = laneMachine.provide({
    actors: {
      loadJob: fromPromise(() =>
        Promise.resolve({ delivery: show(), entry: world.entry, completes: false as boolean }),
      ),
      rereadRow: fromPromise(() => Promise.resolve(show())),
      runAgent: fromPromise(() => {
        world.runs += 1;
        return Promise.resolve({
          reply: { text: `reply ${world.runs}`, toolCalls: 0 },
          attempts: 1,
          runMs: 1,
        });
      }),
      postMessage: fromPromise<void, Post>(({ input }) => {
        world.posts.push(input);
        if (world.posts.length > world.lostPosts) return Promise.resolve();
        return Promise.reject(new Fault('backendUnavailable', 'no answer'));
      }),
      markDelivered: fromPromise(() => Promise.resolve(world.marks.shift() ?? null)),
      handBack: fromPromise(() => Promise.resolve()),
    },
  });
  const limits = { baseMs: 1, capMs: 1 };
  const input = { parent, key: 'lane:agent-e/task-1', session: limits, backend: limits, random: () => 0 };
  const lane = createActor(machine, { input }).start();
  lane.send({ type: 'lane.go', job: { kind: 'notification', row: world.listed }, trial: false, next: null });
  const outcome = (): string | undefined => heard.find((news) => news.type === 'lane.settled')?.outcome;
  return { world, outcome, over: () => expect.poll(outcome).toBeDefined() };
}

it('hands a row back that has moved since it was listed: others may go before it now', async () => {
  const { world, outcome, over } = startLane({ shown: [MOVED] });
  await over();
  expect([outcome(), world.runs]).toEqual(['released', 0]);
});

it('posts a kept reply first, wherever its row is', async () => {
  const reply = { text: 'kept', toolCalls: 0, version: { messageId: 'm1', createdAt: 1_000 } };
  const { world, over } = startLane({ entry: { ...NOTHING_KNOWN, attempts: 1, reply }, shown: [MOVED] });
  await over();
  expect(world.posts.map(({ content }) => content)).toEqual(['kept', 'reply 1']);
});

it('runs again for a message that came right before the mark', async () => {
  const delivered = contextOf({ ...MOVED, deliveredAt: 2_001 });
  const { world, outcome, over } = startLane({ marks: [delivered], shown: [LISTED, LISTED, MOVED] });
  await over();
  expect([outcome(), world.runs]).toEqual(['delivered', 2]);
  expect(world.posts.map(({ withSource, version }) => [withSource, version?.messageId])).toEqual([
    [true, 'm1'],
    [false, 'm2'],
  ]);
});

it('hands a skipped row back that took a message in right before its mark, and runs it at its new place', async () => {
  const delivered = { ...MOVED, deliveredAt: 2_001 };
  const skipped = startLane({ skipped: true, marks: [contextOf(delivered)] });
  await skipped.over();
  expect([skipped.outcome(), skipped.world.runs]).toEqual(['released', 0]);

  const entry = { ...NOTHING_KNOWN, answered: { messageId: 'm1', createdAt: 1_000 } };
  const staleList = startLane({ skipped: true, entry, shown: [delivered] });
  await staleList.over();
  expect([staleList.outcome(), staleList.world.runs]).toEqual(['released', 0]);

  const resumed = startLane({ skipped: true, entry, shown: [delivered], listed: delivered });
  await resumed.over();
  expect([resumed.outcome(), resumed.world.runs, resumed.world.posts[0]?.withSource]).toEqual([
    'delivered',
    1,
    true,
  ]);
});

it('posts again what Convex did not take, and tells what the thread was when the agent read it', async () => {
  const { world, over } = startLane({ lostPosts: 1 });
  await over();
  const newest = sampleContext().thread.at(-1)?.messageId ?? null;
  expect(world.posts.map(({ content, after }) => [content, after])).toEqual([
    ['reply 1', newest],
    ['reply 1', newest],
  ]);
  expect(world.runs).toBe(1);
});

it('goes on with a delivered row of an earlier process that is owed an answer, and with no other', async () => {
  const delivered = { ...MOVED, deliveredAt: 2_001 };
  const answered = { ...NOTHING_KNOWN, posts: 1, answered: { messageId: 'm1', createdAt: 1_000 } };
  const owed = startLane({ entry: answered, shown: [delivered] });
  await owed.over();
  expect([owed.outcome(), owed.world.runs, owed.world.posts.length]).toEqual(['delivered', 1, 1]);

  const done = startLane({
    entry: { ...answered, answered: { messageId: 'm2', createdAt: 2_000 } },
    shown: [delivered],
  });
  await done.over();
  expect([done.outcome(), done.world.runs]).toEqual(['already', 0]);
});

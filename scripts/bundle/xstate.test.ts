import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { quickened, quickXState } from './xstate.ts';

const root = join(import.meta.dirname, '../..');

/** A parent whose children start, take part in two transitions and end, and one that throws while children are alive. */
const PLAY = `
import { assign, createActor, enqueueActions, fromPromise, setup } from 'xstate';
export async function play() {
  const seen = [];
  const aborted = [];
  const child = setup({
    actors: { work: fromPromise(({ input, signal }) => new Promise((resolve) => {
      signal.addEventListener('abort', () => aborted.push(input));
      if (input % 2 === 0) setImmediate(resolve);
    })) },
  }).createMachine({
    context: ({ input }) => ({ input }),
    output: ({ context }) => context.input,
    initial: 'waiting',
    states: {
      waiting: { tags: ['early'], after: { 60000: 'done' }, on: { go: 'working' } },
      working: {
        initial: 'first',
        invoke: { src: 'work', input: ({ context }) => context.input, onDone: 'done' },
        states: { first: { after: { 60000: 'second' } }, second: {} },
        on: { again: { target: 'working', reenter: true } },
      },
      done: { type: 'final' },
    },
  });
  const parent = setup({ actors: { child }, actions: {
    start: enqueueActions(({ enqueue, context, event }) => {
      enqueue.assign({ started: context.started + 1 });
      enqueue.spawnChild('child', { id: String(event.n), systemId: 'child:' + event.n, input: event.n });
    }),
    tell: enqueueActions(({ enqueue, event }) => enqueue.sendTo(String(event.n), { type: event.what })),
    replace: enqueueActions(({ enqueue, event }) => {
      enqueue.stopChild(String(event.n));
      enqueue.spawnChild('child', { id: String(event.n), systemId: 'child:' + event.n, input: event.n + 10 });
    }),
    end: enqueueActions(({ enqueue, event }) => enqueue.stopChild(event.actorId)),
    note: assign(({ context, event }) => ({ ended: [...context.ended, event.output] })),
    fail: () => { throw new Error('a bug'); },
  } }).createMachine({
    context: { started: 0, ended: [] },
    type: 'parallel',
    on: {
      start: { actions: 'start' },
      tell: { actions: 'tell' },
      replace: { actions: 'replace' },
      stop: { actions: enqueueActions(({ enqueue, event }) => enqueue.stopChild(String(event.n))) },
      fail: { actions: [enqueueActions(({ enqueue }) => enqueue.stopChild('1')), 'fail'] },
      'xstate.done.actor.*': { actions: ['note', 'end'] },
    },
    states: {
      a: { initial: 'one', states: { one: { tags: ['busy'], always: { guard: ({ context }) => context.started > 2, target: 'two' } }, two: {} } },
      b: { initial: 'one', states: { one: { on: { flip: 'two' } }, two: { on: { flip: 'one' } } } },
    },
  });
  const actor = createActor(parent, { inspect: (event) => {
    if (event.type !== '@xstate.snapshot' || !('value' in event.snapshot)) return;
    const { status, value, context, tags, children } = event.snapshot;
    seen.push([event.actorRef.id.replace(/^x:.*/, 'root'), event.event.type, status, value, { ...context }, [...tags], Object.keys(children).sort()]);
  } });
  actor.subscribe({ error: (error) => seen.push(error.message) });
  const told = async (...events) => {
    for (const event of events) actor.send(event);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { children, value, tags } = actor.getSnapshot();
    const timers = Object.keys(actor.system.getSnapshot()._scheduledEvents).length;
    seen.push([Object.keys(children).sort(), value, [...tags], timers, Object.keys(actor.system.getAll()).sort(), [...aborted]]);
  };
  actor.start();
  await told({ type: 'start', n: 1 }, { type: 'start', n: 2 });
  await told({ type: 'tell', n: 1, what: 'go' }, { type: 'tell', n: 2, what: 'go' });
  await told({ type: 'start', n: 3 }, { type: 'start', n: 4 }, { type: 'tell', n: 1, what: 'again' });
  await told({ type: 'replace', n: 3 }, { type: 'tell', n: 3, what: 'go' });
  await told({ type: 'stop', n: 4 }, { type: 'flip' }, { type: 'start', n: 4 }, { type: 'stop', n: 4 }, { type: 'flip' });
  await told({ type: 'fail' });
  return seen;
}`;

async function played(quick: boolean): Promise<unknown> {
  const { outputFiles } = await build({
    stdin: { contents: PLAY, resolveDir: root },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    plugins: quick ? [quickXState] : [],
  });
  const text = outputFiles[0]?.text ?? '';
  expect(text.includes('eventsOf')).toBe(quick);
  const url = `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`;
  const { play } = (await import(url)) as { play: () => Promise<unknown> };
  return play();
}

test('the quick XState shows the same snapshots, timers, names and ends as the real one', async () => {
  const real = await played(false);
  expect(real).toContainEqual(expect.stringContaining('a bug'));
  expect(await played(true)).toEqual(real);
});

test('another XState is refused with a sentence', () => {
  const path = join(root, 'node_modules/xstate/package.json');
  expect(() => quickened(readFileSync(path, 'utf8'))).toThrow('scripts/bundle/xstate.ts has to change');
});

/** A thread that is held stays held until somebody has read more of it than delivery knows. */
import { expect, it } from 'vitest';
import { deliveryInput } from '../../test/kits/delivery-input.ts';
import type { Thread } from '../notification/chatter.ts';
import type { ChildOutput } from './context.ts';
import { threadNews } from './threads.ts';

const { settings } = deliveryInput();

const read = (chain: number, newest: number): Thread => ({
  taskId: 't',
  title: 'Fix the login bug',
  standing: 'open',
  since: 0,
  chain,
  newest,
});

const HELD = { settings, threads: { t: { ...read(12, 100), held: true } } };

const ended = (thread: Thread | null, outcome: ChildOutput['outcome'] = 'delivered') =>
  threadNews(HELD, {
    kind: 'notification',
    session: 'a/t',
    title: 'engineer · Fix the login bug',
    id: 'n1',
    outcome,
    attempts: 1,
    runMs: 1,
    reason: null,
    note: null,
    thread,
  } as ChildOutput);

it.each([
  ['a run that began before the others went on', read(5, 50), 'delivered'],
  ['a row that is gone', null, 'gone'],
  ['a row that was never read', null, 'stuck'],
] as const)('%s says nothing about it', (_, thread, outcome) => {
  expect(ended(thread, outcome)).toBeNull();
});

it('the word of a person frees it, and it is forgotten', () => {
  expect(ended(read(0, 200))).toMatchObject({ changed: true, problem: null, threads: {} });
});

it('more of the same keeps it held', () => {
  expect(ended(read(13, 200), 'chatter')).toMatchObject({ changed: false, threads: { t: { chain: 13 } } });
});

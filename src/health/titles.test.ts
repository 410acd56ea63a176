import { createActor, createMachine, type AnyActorRef } from 'xstate';
import { expect, test } from 'vitest';
import { isWhole, titleOf } from './titles.ts';

const TASK = 't'.repeat(26) + '123456';
const agents = new Map([['a1', 'engineer']]);

const named = (systemId: string, context: object = {}): AnyActorRef =>
  createActor(createMachine({ context }), { systemId }).start();

const delivery = (title: string | null) => ({
  delivery: { agent: { slug: 'engineer' }, task: title === null ? null : { title } },
});

test.each([
  [
    'a session whose context was read',
    `notification:a1/${TASK}`,
    delivery('Fix the login bug'),
    'engineer · Fix the login bug',
  ],
  ['one that was not read yet', `notification:a1/${TASK}`, { delivery: null }, 'engineer · task …123456'],
  ["an agent's own session", 'beat:a1/system', {}, 'engineer · own session'],
  ['an agent that is not known yet', `notification:a2/${TASK}`, {}, null],
  ['a machine that is no session', 'gateway', {}, null],
  [
    'a doubt about a notification',
    `trouble:session:a1/${TASK}`,
    { input: { who: 'engineer · Fix the login bug' } },
    'trouble of engineer · Fix the login bug',
  ],
  ['trouble of an agent', 'trouble:agent:a1', { input: { who: 'engineer' } }, 'trouble of engineer'],
  [
    'a title over several lines',
    `notification:a1/${TASK}`,
    delivery('Fix\n\tthe\u001b[2J bug'),
    'engineer · Fix the [2J bug',
  ],
  [
    'a title without end',
    `notification:a1/${TASK}`,
    delivery('x'.repeat(200)),
    `engineer · ${'x'.repeat(78)}…`,
  ],
])('%s', (_, name, context, title) => {
  expect(titleOf(named(name, context), agents)).toBe(title);
});

test('a title is whole once it says the title of the task', () => {
  expect(isWhole('engineer · task …123456')).toBe(false);
  expect(isWhole('engineer · Fix the login bug')).toBe(true);
});

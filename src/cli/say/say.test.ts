import { describe, expect, test } from 'vitest';
import type { Message, Row } from '../../local/client.ts';
import { countBefore, findAnswer } from './answer.ts';
import { readNames } from './names.ts';

const AGENTS = [
  { _id: 'a1', slug: 'squad-lead', name: 'Squad Lead' },
  { _id: 'a2', slug: 'engineer', name: 'Engineer' },
];

const row = (change: Partial<Row>): Row => ({
  _id: 'n1',
  recipientType: 'agent',
  recipientId: 'a2',
  taskId: 't1',
  messageId: 'q',
  createdAt: 10,
  ...change,
});

const message = (messageId: string, authorId: string): Message => ({
  messageId,
  authorType: authorId.startsWith('a') ? 'agent' : 'user',
  authorId,
  authorName: null,
  content: messageId,
  createdAt: 1,
});

describe('the answer to a question', () => {
  const look = (rows: Row[], thread: Message[]) => findAnswer({ question: 'q', asked: ['a2'], rows, thread });
  const [older, question] = [message('older', 'u1'), message('q', 'u1')];

  test('is not the reply to an older one that comes meanwhile', () => {
    const rows = [row({}), row({ _id: 'n0', messageId: 'older', createdAt: 5, deliveredAt: 11 })];
    const thread = [older, question, message('reply to older', 'a2')];
    expect(look(rows, thread)).toMatchObject({ kind: 'waiting' });
    const done = [row({ deliveredAt: 12 }), ...rows.slice(1)];
    const answered = [...thread, message('reply to q', 'a2')];
    expect(look(done, answered)).toMatchObject({ kind: 'replied', message: { messageId: 'reply to q' } });
  });

  test('is silence where the agent is done and has written nothing', () => {
    expect(look([row({ deliveredAt: 12 })], [question])).toEqual({ kind: 'silent', recipientId: 'a2' });
  });

  test('cannot come where nobody was notified', () => {
    expect(look([row({ recipientId: 'a1' })], [question])).toEqual({ kind: 'unheard' });
  });

  test('waits for what is before it in its session, and for nothing else', () => {
    const rows = [
      row({}),
      row({ _id: 'before', createdAt: 5 }),
      row({ _id: 'done', createdAt: 4, deliveredAt: 6 }),
      row({ _id: 'other task', taskId: 't2', createdAt: 5 }),
      row({ _id: 'other agent', recipientId: 'a1', createdAt: 5 }),
      row({ _id: 'after', createdAt: 11 }),
    ];
    expect(countBefore(row({}), rows)).toBe(1);
  });
});

describe('names in a text', () => {
  const slugs = (text: string) => readNames(text, AGENTS, ['Demo User']).asked.map(({ slug }) => slug);

  test.each([
    ['@engineer hello', ['engineer']],
    ['@"Squad Lead" and @ENGINEER', ['squad-lead', 'engineer']],
    ['@all', ['squad-lead', 'engineer']],
    ['write to me@engineer.org', []],
  ])('%s', (text, expected) => {
    expect(slugs(text)).toEqual(expected);
    expect(readNames(text, AGENTS).unknown).toEqual([]);
  });

  test('one that nobody has comes with the nearest', () => {
    expect(readNames('@squadlead @"Demo User" hello', AGENTS, ['Demo User']).unknown).toEqual([
      'There is no agent @squadlead: did you mean @squad-lead? The agents are @squad-lead, @engineer.',
    ]);
  });
});

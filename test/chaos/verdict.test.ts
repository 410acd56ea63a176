/** Each check finds its case: a small story without a fault, and one change at a time that breaks it. */
import { describe, expect, it } from 'vitest';
import type { DumpedMessage, DumpedNotification, DumpedState } from '../kits/contract-backend/dump.ts';
import type { Evidence, Life, Run } from './evidence.ts';
import { isClean, judge, type Guarantee, type Verdict } from './verdict.ts';

type History = NonNullable<DumpedState['history']>;

const run = (id: number, changes: Partial<Run> = {}): Run => ({
  id,
  life: 1,
  session: 's',
  notificationId: `n${id}`,
  kind: 'mention',
  about: `m${id}`,
  startedAt: id * 10,
  begunAt: id * 10 + 1,
  endedAt: id * 10 + 5,
  end: 'completed',
  ...changes,
});

const row = (id: number, changes: Partial<DumpedNotification> = {}): DumpedNotification => ({
  _id: `n${id}`,
  _creationTime: id,
  type: 'mention',
  recipientType: 'agent',
  recipientId: 'agent',
  taskId: 'task',
  messageId: `message ${id}`,
  createdAt: id,
  deliveredAt: 1_000,
  ...changes,
});

const said = (id: number): DumpedMessage => ({
  _id: `message ${id}`,
  taskId: 'task',
  authorType: 'user',
  authorId: 'user',
  content: `@agent m${id}`,
  createdAt: id,
});

const replied = (id: number, row = id): DumpedMessage => ({
  _id: `reply ${id}`,
  taskId: 'task',
  authorType: 'agent',
  authorId: 'agent',
  content: `reply ${id} to n${row} about m${row}`,
  createdAt: id,
  sourceNotificationId: `n${row}`,
});

const life = (number: number, changes: Partial<Life> = {}): Life => ({
  number,
  startedAt: 0,
  drainedAt: 500,
  abortedAt: null,
  killedAt: null,
  exitedAt: 600,
  exitCode: 0,
  journal: [],
  said: [],
  ...changes,
});

const killed = (number: number, at: number, changes: Partial<Life> = {}): Life =>
  life(number, { drainedAt: null, killedAt: at, exitedAt: at + 1, exitCode: null, ...changes });

interface Story {
  runs: Run[];
  lives: Life[];
  notifications: DumpedNotification[];
  messages: DumpedMessage[];
  history: History;
}

/** Two messages, two rows, two runs one after the other, two replies. */
const story = (): Story => ({
  runs: [run(1), run(2)],
  lives: [life(1)],
  notifications: [row(1), row(2)],
  messages: [said(1), said(2), replied(1), replied(2)],
  history: {
    notifications: {
      n1: historyOf(1, { loads: [{ at: 9, createdAt: 1 }], deliveredAt: 17 }),
      n2: historyOf(2, { loads: [{ at: 19, createdAt: 2 }], deliveredAt: 27 }),
    },
    messages: { 'message 1': 1, 'message 2': 2, 'reply 1': 16, 'reply 2': 26 },
  },
});

const historyOf = (
  id: number,
  changes: Partial<History['notifications'][string]> = {},
): History['notifications'][string] => ({
  versions: [{ at: id, createdAt: id, messageId: `message ${id}` }],
  loads: [],
  deliveredAt: null,
  ...changes,
});

function judged(change: (told: Story) => void = () => undefined): Verdict {
  const told = story();
  change(told);
  const { runs, lives, notifications, messages, history } = told;
  const state: DumpedState = {
    messages,
    notifications,
    history,
  };
  const evidence: Evidence = { runs, lives, state };
  return judge(evidence);
}

const stories: [string, Guarantee, (told: Story) => void][] = [
  [
    'a row that is never delivered',
    'lost',
    ({ notifications }) => {
      delete notifications[1]?.deliveredAt;
    },
  ],
  [
    'a mark without a run',
    'lost',
    (told) => {
      told.runs = [run(1)];
      told.messages = told.messages.filter(({ _id }) => _id !== 'reply 2');
    },
  ],
  [
    'a newer message that no run answered',
    'lost',
    ({ messages, notifications }) => {
      messages.push(said(3));
      notifications[1] = row(2, { type: 'thread_update', messageId: 'message 3' });
    },
  ],
  [
    'two replies to one message',
    'duplicate replies',
    ({ messages, runs }) => {
      runs.push(run(3, { notificationId: 'n2', about: 'm2' }));
      messages.push({ ...replied(3, 2), sourceNotificationId: 'none' });
    },
  ],
  [
    'one reply twice',
    'duplicate replies',
    ({ messages }) => void messages.push({ ...replied(2), _id: 'again' }),
  ],
  [
    'a younger row that goes first',
    'order inversions',
    ({ history, runs }) => {
      runs[0] = run(1, { startedAt: 30, begunAt: 31, endedAt: 35 });
      history.notifications['n1'] = historyOf(1, { loads: [{ at: 29, createdAt: 1 }], deliveredAt: 37 });
    },
  ],
  [
    'a row that had moved back before it was read',
    'order inversions',
    ({ history }) => {
      history.notifications['n1']?.versions.push({ at: 8, createdAt: 5, messageId: 'message 1' });
    },
  ],
  [
    'two requests at once',
    'overlapping requests',
    ({ runs }) => {
      runs[0] = run(1, { endedAt: 21 });
    },
  ],
  [
    'a reply in the journal that is not posted',
    'replies lost or run again',
    (told) => {
      told.lives = [
        killed(1, 30, { journal: [{ id: 'n2', attempts: 1, posts: 0, reply: 'reply 9 to n2 about m2' }] }),
        life(2),
      ];
    },
  ],
  [
    'a reply in the journal whose agent is asked again',
    'replies lost or run again',
    (told) => {
      const journal = [{ id: 'n2', attempts: 1, posts: 0, reply: 'reply 2 to n2 about m2' }];
      told.lives = [killed(1, 25, { journal }), life(2)];
      told.runs.push(run(3, { life: 2, notificationId: 'n2', about: 'm2' }));
      told.history.messages['reply 2'] = 40;
      told.history.notifications['n2'] = historyOf(2, { deliveredAt: 50 });
    },
  ],
  [
    'a reply that was complete long before the kill, and not kept',
    'replies lost or run again',
    (told) => {
      told.lives = [killed(1, 5_000), life(2)];
      told.runs.push(run(3, { life: 1, notificationId: 'n2', about: 'm2' }));
    },
  ],
  [
    'an attempt that the journal does not know',
    'attempts forgotten',
    (told) => {
      told.lives = [killed(1, 22), life(2)];
      told.runs[1] = run(2, { end: 'disconnected', endedAt: 23 });
      told.runs.push(run(3, { life: 2, notificationId: 'n2', about: 'm2' }));
      told.messages[3] = { ...replied(3, 2) };
      told.history.messages['reply 3'] = 36;
      told.history.notifications['n2'] = historyOf(2, { deliveredAt: 37 });
    },
  ],
  [
    'a run that was given up for no reason',
    'unexplained repeats',
    ({ runs }) => void runs.push(run(3, { end: 'disconnected', notificationId: 'n2', about: 'm2' })),
  ],
  [
    'a note after one run',
    'notes before their time',
    ({ messages, history }) => {
      messages.push({ ...replied(4), content: 'Agent could not work on the last message.' });
      history.messages['reply 4'] = 60;
    },
  ],
  [
    'a journal that is not pruned',
    'rows left in the journal',
    (told) => void (told.lives = [life(1, { journal: [{ id: 'n1', attempts: 1, posts: 1, reply: null }] })]),
  ],
  ['a process that leaves by itself', 'bad exits', (told) => void (told.lives = [life(1, { exitCode: 70 })])],
];

describe('the verdict', () => {
  it('is clean where all is well', () => {
    expect(isClean(judged())).toBe(true);
  });

  it.each(stories)('finds %s', (_, guarantee, change) => {
    const verdict = judged(change);
    expect(verdict.broken[guarantee]).not.toEqual([]);
    expect(isClean(verdict)).toBe(false);
  });

  it.each([
    [5, []],
    [6, ['after 4 attempts at n3']],
  ])(
    'takes one attempt of a process for unsent, where the journal counts %i for four runs',
    (attempts, found) => {
      const { broken } = judged((told) => {
        for (const id of [3, 4, 5, 6]) told.runs.push(run(id, { notificationId: 'n3', end: 'failed' }));
        told.lives = [killed(1, 70, { journal: [{ id: 'n3', attempts, posts: 0, reply: null }] }), life(2)];
        told.notifications.push(row(3));
        told.messages.push({ ...replied(9), content: 'Agent could not work on the last message.' });
        told.history.messages['reply 9'] = 80;
      });
      const rash = broken['notes before their time'];
      expect(rash.map((words) => words.slice(0, 22))).toEqual(found);
    },
  );

  it.each([
    ['was marked', 17, []],
    ['still waited', 21, ['run 2 of mention n2 went before mention n1']],
  ])('looks at what %s as a run began, however early its row was read', (_, deliveredAt, found) => {
    const { broken } = judged(({ runs, history }) => {
      runs.shift();
      history.notifications['n1'] = historyOf(1, { loads: [{ at: 14, createdAt: 1 }], deliveredAt });
      history.notifications['n2'] = historyOf(2, { loads: [{ at: 15, createdAt: 2 }], deliveredAt: 27 });
    });
    expect(broken['order inversions']).toEqual(found);
  });

  it.each([
    ['is in the thread', 75, []],
    ['is not there yet', 85, ['after process 1 the journal counts 0 of 5 runs of n3']],
  ])('lets the journal count anew where the note that a row is given up %s', (_, postedAt, found) => {
    const { broken } = judged((told) => {
      for (const id of [3, 4, 5, 6, 7])
        told.runs.push(run(id, { notificationId: 'n3', end: 'disconnected' }));
      told.lives = [killed(1, 80, { journal: [{ id: 'n3', attempts: 0, posts: 1, reply: null }] }), life(2)];
      told.notifications.push(row(3));
      told.messages.push({ ...replied(9, 3), content: 'Agent could not work on the last message.' });
      told.history.messages['reply 9'] = postedAt;
      told.history.notifications['n3'] = historyOf(3, { deliveredAt: 90 });
    });
    expect(broken['attempts forgotten']).toEqual(found);
  });

  it('counts what a kill cuts, and what it finds in the instant after the last byte', () => {
    const verdict = judged((told) => {
      told.lives = [killed(1, 46, { journal: [{ id: 'n2', attempts: 9, posts: 0, reply: null }] }), life(2)];
      told.runs.push(run(3, { notificationId: 'n2', end: 'disconnected', endedAt: 47 }));
      told.runs.push(run(4, { notificationId: 'n2', session: 'other', endedAt: 45 }));
    });
    expect(isClean(verdict)).toBe(true);
    expect(verdict.repeats).toMatchObject({ cutByKill: 1, inTheInstant: 1, longestInstantMs: 1 });
  });

  it.each([
    ['was there as the row was read', 1.2, true],
    ['came after it, and before the look that follows the mark', 6, false],
  ])('takes a row for skipped where a later message of a person %s', (_, writtenAt, isSkipped) => {
    const { broken } = judged(({ messages, notifications, history, ...told }) => {
      messages.push(said(3));
      history.messages['message 3'] = writtenAt;
      notifications[0] = row(1, { type: 'thread_update' });
      told.runs.shift();
      messages.splice(2, 1);
      const loads = [1.5, 8].map((at) => ({ at, createdAt: 1 }));
      history.notifications['n1'] = historyOf(1, { loads, deliveredAt: 7 });
    });
    expect(broken.lost.length === 0).toBe(isSkipped);
  });
});

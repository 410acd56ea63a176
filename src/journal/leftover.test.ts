import { expect, test } from 'vitest';
import { leftoverOf } from './leftover.ts';

const NOTHING = { attempts: 1, runs: 1, posts: 0, reply: null, answered: null, begun: null };
const version = { messageId: 'm', createdAt: 1 };

const storeOf = (values: Record<string, unknown>) => ({
  keys: () => Object.keys(values),
  read: (key: string) => values[key] ?? null,
});

test.each([
  ['nothing', {}, null],
  ['the upgrade that a process left for', { upgradeExit: { initiatedAt: 1 } }, null],
  [
    'a reply and a run',
    {
      'notification:1': { ...NOTHING, reply: { text: 'Done.', toolCalls: 0, version } },
      'notification:2': NOTHING,
    },
    '2 notifications of an earlier process are unfinished: 1 reply to post, 1 run to repeat.',
  ],
  [
    'a mark',
    { 'notification:1': { ...NOTHING, attempts: 0, answered: version } },
    '1 notification of an earlier process is unfinished: 1 mark to set.',
  ],
  [
    'two runs',
    { 'notification:1': NOTHING, 'notification:2': NOTHING },
    '2 notifications of an earlier process are unfinished: 2 runs to repeat.',
  ],
])('%s', (_what, values, sentence) => {
  expect(leftoverOf(storeOf(values))).toBe(sentence);
});

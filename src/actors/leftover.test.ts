import { expect, test } from 'vitest';
import { NOTHING_KNOWN, type Entry } from '../../machines/notification/entry.ts';
import { leftoverOf } from './leftover.ts';

const version = { messageId: 'm', createdAt: 1 };

const entriesOf = (kept: Record<string, Partial<Entry>>) => ({
  unfinished: () => Object.keys(kept),
  read: (id: string) => ({ ...NOTHING_KNOWN, ...kept[id] }),
});

test.each<[string, Record<string, Partial<Entry>>, string | null]>([
  ['nothing', {}, null],
  [
    'a reply and a run',
    { 1: { attempts: 1, reply: { text: 'Done.', toolCalls: 0, version } }, 2: { attempts: 1 } },
    '2 notifications of an earlier process are unfinished: 1 reply to post, 1 run to repeat.',
  ],
  [
    'a mark',
    { 1: { answered: version } },
    '1 notification of an earlier process is unfinished: 1 mark to set.',
  ],
  [
    'two runs',
    { 1: { attempts: 1 }, 2: { attempts: 1 } },
    '2 notifications of an earlier process are unfinished: 2 runs to repeat.',
  ],
])('%s', (_what, kept, sentence) => {
  expect(leftoverOf(entriesOf(kept))).toBe(sentence);
});

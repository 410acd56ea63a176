import { describe, expect, test } from 'vitest';
import { sampleRow } from '../../test/kits/samples/mission-control.ts';
import { linesOf, span } from './lines.ts';
import { createMemory } from './memory.ts';
import { createStories } from './observe.ts';
import { without } from './spans.ts';
import { beginRound, endRun, enter, excerpt, fail, phaseOf, type Story } from './story.ts';
import { waitsOf } from './waits.ts';
import { endingOf } from './why.ts';

const storyOf = (id: string, session = 'a/t'): Story => {
  const stories = createStories({ texts: true });
  return { ...stories.storyOf({ row: { ...sampleRow(), _id: id }, entry: null }), session };
};

describe('the text of a message', () => {
  test.each([
    ['the first line that says something', '\n  \nplease look\nat the login bug', 'please look'],
    ['as it is up to 80 characters', 'x'.repeat(80), 'x'.repeat(80)],
    ['cut beyond', 'ä'.repeat(81), `${'ä'.repeat(79)}…`],
    ['without characters that steer a terminal', 'a\u001b[2Jb', 'a [2Jb'],
  ])('%s', (_what, text, shown) => expect(excerpt(text, (one) => one)).toBe(shown));

  test('a secret at its end is hidden before it is cut', () =>
    expect(excerpt(`${'c'.repeat(70)} s3cretvalue1`, (text) => text.replace('s3cretvalue1', '***'))).toBe(
      `${'c'.repeat(70)} ***`,
    ));

  test('of a message that says nothing there is none', () =>
    expect(excerpt(' \n ', (one) => one)).toBe(null));

  test('is not kept where texts are off', () => {
    const stories = createStories({ texts: false });
    expect(stories.storyOf({ row: { ...sampleRow(), body: 'hello' }, entry: null }).text).toBe(null);
  });
});

describe('what is remembered', () => {
  test('forgets what has ended first, and what is under way last', () => {
    const memory = createMemory(2);
    const [open, over, next] = [storyOf('open'), storyOf('over'), storyOf('next')];
    over.end = { at: 1, outcome: 'delivered', reason: null, note: null };
    memory.add(open);
    memory.add(over);
    memory.add(next);
    expect(memory.all().map(({ id }) => id)).toEqual(['open', 'next']);
    memory.add(storyOf('last'));
    expect(memory.all().map(({ id }) => id)).toEqual(['next', 'last']);
  });

  test('keeps so many states, runs and failures of one notification, the last ones', () => {
    const story = storyOf('1');
    for (let i = 0; i < 500; i += 1) {
      enter(story, 'running', i);
      beginRound(story, i);
      endRun(story, 'failed', i);
      enter(story, 'resting', i);
      fail(story, i, `It failed ${i} times.`);
    }
    expect([story.phases.length, story.runs.length, story.failures.length]).toEqual([60, 20, 20]);
    expect(story.failures.at(-1)?.sentence).toBe('It failed 499 times.');
  });

  test('the same failure in a row is one, with its number', () => {
    const story = storyOf('1');
    for (let i = 0; i < 3; i += 1) fail(story, i, 'It is away.');
    expect(story.failures).toEqual([{ at: 2, sentence: 'It is away.', times: 3 }]);
  });

  test('a notification that is listed again goes on', () => {
    const story = storyOf('1');
    enter(story, 'reading', 1);
    story.end = { at: 2, outcome: 'handedBack', reason: null, note: null };
    enter(story, 'listed', 3);
    expect([story.end, phaseOf(story)]).toEqual([null, 'listed']);
  });
});

describe('what it waited for', () => {
  const moved = [
    { gate: 'closed', at: 0 },
    { gate: 'open', at: 30 },
  ] as const;

  test('its session first, then the gate, then a slot, and backoff by itself; nothing twice', () => {
    const [earlier, story] = [storyOf('1'), storyOf('2')];
    enter(earlier, 'listed', 0);
    enter(earlier, 'reading', 5);
    earlier.end = { at: 20, outcome: 'delivered', reason: null, note: null };
    enter(story, 'listed', 0);
    enter(story, 'reading', 40);
    enter(story, 'queueing', 45);
    enter(story, 'running', 50);
    enter(story, 'resting', 60);
    // Until now: 0-5 gate, 5-20 session, 20-30 gate, 30-40 slot, 45-50 slot, 60-75 backoff.
    expect(waitsOf(story, [earlier, story], { moves: moved }, 75)).toEqual({
      session: 15,
      hold: 0,
      gate: 15,
      slot: 15,
      backoff: 15,
    });
  });

  test('a message of another session is nothing that it waits for', () => {
    const [other, story] = [storyOf('1', 'b/t'), storyOf('2')];
    enter(other, 'reading', 0);
    enter(story, 'listed', 0);
    expect(waitsOf(story, [other], { moves: [] }, 10)).toMatchObject({ session: 0, slot: 10 });
  });

  test('a hold of its own agent comes before the gate, and one of another agent is none', () => {
    const story = storyOf('2');
    enter(story, 'listed', 0);
    const holds = [
      { agentId: story.agentId, from: 5, to: 8 },
      { agentId: story.agentId, from: 40, to: null },
      { agentId: 'somebody', from: 0, to: null },
    ];
    expect(waitsOf(story, [], { moves: moved, holds }, 50)).toMatchObject({ hold: 13, gate: 27, slot: 10 });
  });

  test('spans are cut out of spans', () => {
    expect(
      without(
        [{ from: 0, to: 10 }],
        [
          { from: 2, to: 4 },
          { from: 8, to: 12 },
        ],
      ),
    ).toEqual([
      { from: 0, to: 2 },
      { from: 4, to: 8 },
    ]);
  });
});

test('a story in lines names runs, tokens, waits and failures', () => {
  const at = '2026-11-28T12:00:00.000Z';
  const lines = linesOf(
    {
      kind: 'story',
      story: {
        id: 'n1',
        title: 'engineer · Fix the login bug',
        type: 'mention',
        agent: { id: 'a', slug: 'engineer' },
        task: { id: 't', title: 'Fix the login bug' },
        text: 'please look',
        createdAt: at,
        listedAt: '2026-11-28T12:00:01.500Z',
        earlierRuns: 1,
        now: 'It rests.',
        since: '2026-11-28T12:00:10.000Z',
        next: { sentence: 'It is tried again.', at: '2026-11-28T12:01:00.000Z' },
        waited: [
          { for: 'session', ms: 0 },
          { for: 'backoff', ms: 65_000 },
        ],
        runs: [
          {
            startedAt: at,
            ms: 4_000,
            rounds: 2,
            toolCalls: 1,
            tokens: { input: 1_200, output: 7 },
            ended: 'failed',
          },
        ],
        failures: [{ at, sentence: 'The run failed.', times: 2 }],
        end: null,
      },
      others: [],
      more: 0,
    },
    Date.parse('2026-11-28T12:00:30.000Z'),
  );
  expect(lines.map(({ label, text }) => `${label}: ${text}`)).toEqual([
    'who: engineer · Fix the login bug',
    'message: "please look"',
    'notification: n1 (mention)',
    'created: 2026-11-28T12:00:00.000Z, 30 s ago; listed 1.5 s later',
    'now: It rests. For 20 s.',
    'next: It is tried again. In 30 s.',
    'waited: 1 min 5 s in backoff after failures',
    'runs: 1 of an earlier process',
    ': 2026-11-28T12:00:00.000Z · 4.0 s · 2 rounds · 1 tool call · 1,200 tokens in, 7 out · failed',
    'failures: 2026-11-28T12:00:00.000Z  The run failed. (2 times)',
  ]);
});

test.each([
  [-5, '0.0 s'],
  [59_600, '1 min'],
  [3_599_600, '1 h'],
  [7_500_000, '2 h 5 min'],
])('%i ms is %s', (ms, text) => expect(span(ms)).toBe(text));

test.each([
  ['policy', 'No run was needed: this kind of update is not for its agent, or its task is done or blocked.'],
  ['taskGone', 'No run was needed: its task is gone.'],
  [null, 'No run was needed: a rule says so.'],
])('a notification that the rule %s ended says so in words', (reason, words) => {
  const story = storyOf('1');
  story.end = { at: 1, outcome: 'skipped', reason, note: null };
  expect(endingOf(story)).toBe(words);
});

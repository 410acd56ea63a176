import { expect, test } from 'vitest';
import {
  attemptNumber,
  began,
  callAnswered,
  callBegan,
  called,
  cut,
  excused,
  forVersion,
  handedBack,
  movedOn,
  NOTHING_KNOWN,
  posted,
  replied,
} from './entry.ts';

const V1 = { messageId: 'm1', createdAt: 1 };
const V2 = { messageId: 'm2', createdAt: 2 };
const CALL = { callId: 'c1', name: 'task_create', arguments: '{}' };
const ANSWER = { output: '{"ok":true}', outcome: 'ok' } as const;
const asked = called(began(NOTHING_KNOWN), [CALL], { version: V1, taskStatus: 'in_progress' });

test('a call that went out stays begun, although the entry in hand does not know it yet', () => {
  expect(handedBack(callBegan(asked), asked).rounds.calls[0]?.begun).toBe(true);
  expect(handedBack(callAnswered(callBegan(asked), ANSWER), callBegan(asked)).rounds.calls[0]?.answer).toBe(
    ANSWER,
  );
});

test('rounds that come back from the disk are still those of their version', () => {
  const back = handedBack(asked, NOTHING_KNOWN);
  expect(back.roundsFor).toEqual(V1);
  expect(forVersion(back, V2).rounds.count).toBe(0);
  expect(forVersion(back, V1).rounds.count).toBe(1);
});

test('a reply that came in at the last moment stays', () => {
  const stored = replied(asked, { text: 'Done.', toolCalls: 0 }, V1);
  expect(handedBack(stored, asked)).toBe(stored);
});

test('a run that goes on with its calls is the same run, and one that is asked again is another', () => {
  expect(began(asked)).toMatchObject({ attempts: 2, runs: 1 });
  expect(began(callAnswered(callBegan(asked), ANSWER))).toMatchObject({ attempts: 2, runs: 2 });
  expect(excused(began(NOTHING_KNOWN), false)).toMatchObject({ attempts: 0, runs: 0 });
});

test('the number of the last attempt counts over all versions, and only an excuse takes one back', () => {
  const second = began(began(NOTHING_KNOWN));
  const answered = posted(second, V1);
  expect([second, answered, movedOn(answered, true)].map(attemptNumber)).toEqual([2, 2, 2]);
  expect(attemptNumber(began(movedOn(answered, true)))).toBe(3);
  expect(attemptNumber(excused(began(answered), true))).toBe(2);
  // Each version has all its attempts.
  expect(began(movedOn(answered, true)).attempts).toBe(1);
  expect(began(movedOn(second, false)).attempts).toBe(3);
});

test('runs and cuts stay with the version that they were of, whoever reads it next', () => {
  const old = cut(cut(began(began(NOTHING_KNOWN, V1), V1)));
  expect(forVersion(old, V1)).toMatchObject({ runs: 2, cuts: 2 });
  expect(forVersion(old, V2)).toMatchObject({ attempts: 2, runs: 0, cuts: 0 });
  const next = began(forVersion(old, V2), V2);
  expect(forVersion(next, V2)).toMatchObject({ attempts: 3, runs: 1, cuts: 0 });
});

test('runs of an entry that names no version stay counted', () => {
  expect(forVersion(cut(began(NOTHING_KNOWN)), V2)).toMatchObject({ runs: 1, cuts: 1 });
});

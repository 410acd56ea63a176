import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { actor, picture, step } from '../../../test/kits/samples/inspector.ts';
import type { Entry } from '../wire.ts';
import { apply, createModel } from './model.ts';
import { createPlayback, readRecording } from './recording.ts';

const PICTURE = picture([actor('supervisor/gateway')]);
const head = JSON.stringify({ recording: 1, picture: PICTURE });
const entries: Entry[] = Array.from({ length: 20 }, (_, i) =>
  step(i + 1, { from: [`s${i}`], to: [`s${i + 1}`], tags: i % 3 === 0 ? ['degraded'] : ['ready'] }),
);
const file = [head, ...entries.map((entry) => JSON.stringify(entry))].join('\n');

describe('a recording', () => {
  test('is read, with its beginning and end', () => {
    expect(readRecording(`${file}\n`)).toEqual({ picture: PICTURE, entries, begin: 0, end: 20_000 });
  });

  test('that was cut off is good up to there', () => {
    expect(readRecording(file.slice(0, -10)).entries).toEqual(entries.slice(0, -1));
  });

  test.each([
    ['', 'This is no recording'],
    ['not JSON', 'line 1 is not JSON'],
    ['{"a":1}\n{"b":2}', 'This is no recording'],
    [`${head}\nx\n${head}`, 'line 2 is not JSON'],
  ])('that is none is refused with a sentence', (text, words) => {
    expect(() => readRecording(text)).toThrow(words);
  });
});

test('a moment is the same however one comes to it', () => {
  const moment = fc.integer({ min: -1_000, max: 25_000 });
  fc.assert(
    fc.property(fc.array(moment, { minLength: 1 }), (moments) => {
      const playback = createPlayback(readRecording(file));
      for (const at of moments) {
        const straight = createModel({ picture: PICTURE, history: [] });
        for (const entry of entries.filter((one) => one.at <= at)) apply(straight, entry);
        expect(playback.at(at).model).toEqual(straight);
      }
    }),
  );
});

test('going on tells what happened meanwhile; going back tells nothing', () => {
  const playback = createPlayback(readRecording(file));
  expect(playback.at(2_500).news.map(({ seq }) => seq)).toEqual([1, 2]);
  expect(playback.at(4_000).news.map(({ seq }) => seq)).toEqual([3, 4]);
  expect(playback.at(1_000).news).toEqual([]);
});

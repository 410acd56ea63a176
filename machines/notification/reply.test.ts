import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_MESSAGE_LENGTH } from '../shared/mission-control.ts';
import { fitMessage, messageText } from './reply.ts';

describe('fitMessage', () => {
  test('leaves alone what fits', () => {
    const text = 'x'.repeat(MAX_MESSAGE_LENGTH);
    expect(fitMessage(text)).toBe(text);
  });

  test('cuts what does not, says so, and never in the middle of a character', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), (shift) => {
        const fitted = fitMessage('x'.repeat(shift) + '\u{1f600}'.repeat(MAX_MESSAGE_LENGTH));
        expect(fitted.length).toBeLessThanOrEqual(MAX_MESSAGE_LENGTH);
        expect(fitted.length).toBeGreaterThan(MAX_MESSAGE_LENGTH - 3);
        expect(fitted.isWellFormed()).toBe(true);
        expect(fitted).toMatch(/too long for the thread and has been cut here\.\]$/);
      }),
      { numRuns: 20 },
    );
  });
});

test('the words of silence at the end of a text are not posted', () => {
  expect(messageText({ text: 'Done.\n\nNO_REPLY', toolCalls: 0 })).toBe('Done.');
  expect(messageText({ text: 'Done.', toolCalls: 1 })).toBe('Done.');
});

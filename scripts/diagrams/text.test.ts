import { expect, test } from 'vitest';
import { textWidth, wrap } from './text.ts';

const font = { size: 10 };

test('measures a text in whole pixels, and never as less than it needs', () => {
  expect(textWidth('', font)).toBe(0);
  expect(textWidth('i', font)).toBe(3);
  expect(textWidth('mm', font)).toBe(20);
  expect(textWidth('mm', { size: 10, bold: true })).toBe(21);
  expect(textWidth('→', font)).toBeGreaterThanOrEqual(10);
});

test('breaks a text between words', () => {
  expect(wrap('one two three', font, textWidth('one two', font))).toEqual(['one two', 'three']);
  expect(wrap('one two', font, 1)).toEqual(['one', 'two']);
  expect(wrap('one', font, 100)).toEqual(['one']);
});

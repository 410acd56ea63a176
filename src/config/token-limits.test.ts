import { expect, test } from 'vitest';
import { parseTokenLimits } from './token-limits.ts';

test('one number is for all, a map is by slug', () => {
  expect(parseTokenLimits('100000')).toEqual({ all: 100_000, bySlug: {} });
  expect(parseTokenLimits('engineer=100000, Writer=50000')).toEqual({
    all: null,
    bySlug: { engineer: 100_000, writer: 50_000 },
  });
});

test.each([
  'lots',
  '-1',
  '0',
  '1.5',
  'engineer=',
  'engineer=lots',
  '=5',
  'a=1=2',
  'a=1,,b=2',
  'a=1,a=2',
  'a b=1',
])('%s is refused', (text) => expect(() => parseTokenLimits(text)).toThrow());

import { compareValues } from 'convex/values';
import type { Value } from 'convex/values';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { afterPrefix, encodeKey, isBefore } from './keys.ts';

const leaf = fc.oneof(
  fc.constant(null),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double(),
  fc.integer({ min: -3, max: 3 }),
  fc.boolean(),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
  fc.constantFrom('', '\0', '\0\0', 'a', 'a\0', 'é', '😀', '\uffff'),
  fc.uint8Array({ maxLength: 4 }).map((bytes) => new Uint8Array(bytes).buffer),
);

const name = fc.constantFrom('a', 'b', 'ab', 'B');

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3 }).map((entries) => ({ ...entries })),
  ),
}));

const field = fc.option(value, { nil: undefined, freq: 10 });

const order = (a: readonly (Value | undefined)[], b: readonly (Value | undefined)[]): number => {
  for (const [at, one] of a.entries()) {
    const difference = compareValues(one, b[at]);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
};

test('keys compare as Convex compares the values, one field after another', () => {
  fc.assert(
    fc.property(fc.tuple(field, field), fc.tuple(field, field), (a, b) => {
      expect(Buffer.compare(encodeKey(a), encodeKey(b))).toBe(order(a, b));
    }),
    { numRuns: 20_000 },
  );
});

test('what follows a prefix comes after everything that has it, and before the next value', () => {
  fc.assert(
    fc.property(field, field, field, (one, rest, other) => {
      const end = afterPrefix(encodeKey([one]));
      expect(isBefore(encodeKey([one, rest]), end)).toBe(true);
      expect(isBefore(encodeKey([other]), end)).toBe(compareValues(other, one) <= 0);
    }),
  );
});

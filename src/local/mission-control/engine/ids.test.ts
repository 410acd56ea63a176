import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeId, newId, tableNumberOf } from './ids.ts';

test('an id is what Convex makes of the same number and bytes', () => {
  const bytes = [251];
  while (bytes.length < 16) bytes.push(((bytes.at(-1) ?? 0) * 251) & 0xff);
  expect(encodeId(1017, Uint8Array.from(bytes))).toBe('z43zp6c3e75gkmz1kfwj6mbbx5sw281h');
});

test('the table’s number comes back, and a changed letter is noticed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.nat(30), (number, at) => {
      const id = newId(number, 1_800_000_000_000.5);
      expect(tableNumberOf(id)).toBe(number);
      const other = id[at] === 'x' ? 'y' : 'x';
      expect(tableNumberOf(id.slice(0, at) + other + id.slice(at + 1))).not.toBe(number);
    }),
  );
});

test('ids of one table are 32 lower-case letters and digits, in the order of their time', () => {
  const [first, second] = [newId(10_001, 1), newId(10_001, 1.001)];
  expect(first).toMatch(/^[0-9a-z]{32}$/);
  expect(first < second).toBe(true);
});

test.each(['', 'x', 'demo-user', '10000;accounts', 'sssswsgggggggggsgcsssfafffsffks', 'z'.repeat(400)])(
  '%j is no id',
  (text) => {
    expect(tableNumberOf(text)).toBeNull();
  },
);

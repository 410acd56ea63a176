import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freeBytes } from './free-bytes.ts';

test('tells the free bytes of a directory, and NaN for one that is not there', async () => {
  expect(await freeBytes(tmpdir())).toBeGreaterThan(0);
  expect(await freeBytes(join(tmpdir(), 'is', 'not', 'there'))).toBeNaN();
});

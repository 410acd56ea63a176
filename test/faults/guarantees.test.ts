import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CASES } from './registry.ts';

const ROOT = join(import.meta.dirname, '../..');
const text = readFileSync(join(ROOT, 'docs/guarantees.md'), 'utf8');
/** What the last column of each table names. */
const shownBy = text
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .flatMap((line) => [...(line.split('|').at(-2) ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));

test('docs/guarantees.md names every fault case, and no test that is not there', () => {
  expect(CASES.filter(({ name }) => !text.includes(`\`${name}\``))).toEqual([]);
  const known = new Set(CASES.map(({ name }) => name));
  expect(shownBy.filter((name) => !known.has(name) && !existsSync(join(ROOT, name)))).toEqual([]);
});

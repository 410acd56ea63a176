import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CASES } from './registry.ts';

const ROOT = join(import.meta.dirname, '../..');
const text = ['docs/guarantees.md', 'docs/scenarios.md']
  .map((page) => readFileSync(join(ROOT, page), 'utf8'))
  .join('\n');
/** What the last column of each table names. */
const shownBy = text
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .flatMap((line) => [...(line.split('|').at(-2) ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));

test('docs/guarantees.md and docs/scenarios.md name every fault case, and no test that is not there', () => {
  expect(CASES.filter(({ name }) => !text.includes(`\`${name}\``))).toEqual([]);
  const known = new Set(CASES.map(({ name }) => name));
  expect(shownBy.filter((name) => !known.has(name) && !existsSync(join(ROOT, name)))).toEqual([]);
});

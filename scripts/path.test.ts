/** How long one notification's path is: the files that docs/architecture.md links where it walks the path. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const DOCS = join(import.meta.dirname, '../docs');
const read = (path: string): string => readFileSync(join(DOCS, path), 'utf8');

const LIMITS = { files: 25, lines: 3_460 };

test('the path of one notification stays within its files and lines', () => {
  const [, walk = ''] = read('architecture.md').split("## One notification's path\n");
  const [path = ''] = walk.split('\n## ');
  const files = new Set([...path.matchAll(/\]\((\.\.\/[\w./-]+\.ts)\)/g)].map(([, file = '']) => file));
  const lines = [...files].reduce((sum, file) => sum + read(file).split('\n').length - 1, 0);
  console.log(`One notification's path: ${files.size} files, ${lines} lines`);
  expect(files.size).toBeGreaterThan(20);
  expect(files.size).toBeLessThanOrEqual(LIMITS.files);
  expect(lines).toBeLessThanOrEqual(LIMITS.lines);
});

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { generate } from './codegen.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const contents = (folder: string): Record<string, string> =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));

test('convex/_generated is what codegen makes of convex/ (else: npm run codegen)', () => {
  const copy = mkdtempSync(join(tmpdir(), 'codegen-'));
  onTestFinished(() => {
    rmSync(copy, { recursive: true });
  });
  const committed = join(root, 'convex', '_generated');
  cpSync(join(root, 'convex'), join(copy, 'convex'), {
    recursive: true,
    filter: (path) => path !== committed,
  });
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  generate(copy);
  expect(contents(join(copy, 'convex', '_generated'))).toEqual(contents(committed));
});

import { execFileSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const BUNDLE = join(ROOT, 'dist/main.js');

/** Before all tests: the process suites run the bundle, so it must not be older than what it is made of. */
export default function setup(): void {
  if (!isStale()) return;
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.ts')], { stdio: 'inherit' });
}

function isStale(): boolean {
  const builtAt = changedAt(BUNDLE);
  const sources = globSync(
    ['{src,machines}/**/*.ts', 'scripts/build.ts', 'scripts/bundle/*', 'package.json'],
    { cwd: ROOT },
  );
  return sources.some((path) => changedAt(join(ROOT, path)) > builtAt);
}

/** Milliseconds since the epoch; 0 for a file that is not there. */
const changedAt = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

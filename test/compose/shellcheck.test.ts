/** Every shell script of the repository passes shellcheck, a Debian package of that name. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

const scripts = execFileSync('git', ['ls-files', '*.sh', '.ci/run'], { cwd: ROOT, encoding: 'utf8' })
  .trim()
  .split('\n');

test.for(scripts)('%s', (script) => {
  const { error, stdout } = spawnSync('shellcheck', ['--external-sources', script], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (error !== undefined) {
    throw new Error(`shellcheck cannot be run (${error.message}): install the package shellcheck.`);
  }
  expect(stdout).toBe('');
});

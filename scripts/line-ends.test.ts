/** Git for Windows turns line ends into CRLF by default; scripts and images break with them. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const TEXTS = [
  'docker/openclaw/start-openclaw.sh',
  'scripts/runtime-upgrade-local.sh',
  '.env.example',
  'package.json',
];
const PICTURE = 'docs/inspector/now-phone.png';

test('a checkout with core.autocrlf=true has LF in its texts, and its pictures as they are', () => {
  const directory = mkdtempSync(join(tmpdir(), 'line-ends-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const origin = join(directory, 'origin');
  const git = (...args: string[]): void => {
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t.test', ...args], {
      cwd: origin,
      stdio: 'pipe',
    });
  };
  mkdirSync(origin);
  const files = [...TEXTS, PICTURE];
  for (const path of ['.gitattributes', ...files]) cpSync(join(ROOT, path), join(origin, path));
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'as it is');
  git('clone', '--quiet', '--config', 'core.autocrlf=true', origin, '../windows');
  for (const path of files) {
    expect([
      path,
      readFileSync(join(directory, 'windows', path)).equals(readFileSync(join(ROOT, path))),
    ]).toEqual([path, true]);
  }
});

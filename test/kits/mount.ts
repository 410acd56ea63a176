/** File systems for tests: a small one, and one that never answers. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';
import { temporaryDirectory } from './runtime.ts';

export function needsRoot({ skip }: TestContext): void {
  if (process.getuid?.() !== 0) skip('it needs root');
}

/** Makes the directory that something is mounted on; what is mounted goes when the test is over. */
function mountPoint(test: TestContext): string {
  needsRoot(test);
  const path = join(temporaryDirectory(), 'mounted');
  mkdirSync(path);
  return path;
}

/** A file system that takes so many kilobytes. @returns where it is mounted */
export function mountSmall(test: TestContext, kilobytes: number): string {
  const path = mountPoint(test);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'none', path], { stdio: 'pipe' });
  } catch (error) {
    test.skip(`this machine mounts no tmpfs: ${String(error)}`);
  }
  onTestFinished(() => void execFileSync('umount', ['-l', path]));
  return path;
}

/** It is mounted for as long as its server, which never answers, lives. */
const HANGING = `
  exec 3<>/dev/fuse && mount -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 none "$1" || exit 1
  echo mounted
  exec sleep 600`;

/** A file system whose every call hangs. @returns where it is mounted */
export async function mountHanging(test: TestContext): Promise<string> {
  const path = mountPoint(test);
  const server = spawn('sh', ['-c', HANGING, 'sh', path], { stdio: ['ignore', 'pipe', 'ignore'] });
  const gone = once(server, 'close');
  const mounted = await Promise.race([once(server.stdout, 'data').then(() => true), gone.then(() => false)]);
  if (!mounted) test.skip('this machine mounts no FUSE file system');
  onTestFinished(async () => {
    server.kill('SIGKILL');
    await gone;
    execFileSync('umount', ['-l', path]);
  });
  return path;
}

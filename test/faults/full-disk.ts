import { execFileSync } from 'node:child_process';
import type { TestContext } from 'vitest';

/**
 * A process whose files take no more bytes is on a full disk, as far as it can tell; and unlike a real one this disk
 * can be full for a single process, with any user's rights, and empty again on command (prlimit of util-linux).
 */
export function setDiskFull(pid: number, full: boolean): void {
  execFileSync('prlimit', [
    '--pid',
    String(pid),
    full ? '--fsize=0:unlimited' : '--fsize=unlimited:unlimited',
  ]);
}

export function needsPrlimit({ skip }: TestContext): void {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' });
  } catch {
    skip('prlimit (util-linux) is not installed');
  }
}

const PRELOAD = new URL('preload/full-disk.ts', import.meta.url);

/** For a runtime whose disk is full from the start. */
export const FULL_DISK = { NODE_OPTIONS: `--import ${PRELOAD.href}` };

import { execFileSync } from 'node:child_process';
import type { TestContext } from 'vitest';

/**
 * A full disk for one process: prlimit of util-linux forbids it to write more bytes to any file. Unlike with a real full
 * disk, other processes are not affected, no rights are needed, and the test ends it on command.
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

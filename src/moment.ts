import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Moment } from '../machines/shared/moment.ts';

/** Linux names each start of the machine. Elsewhere a process can compare only its own moments. */
function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return randomUUID();
  }
}

const BOOT = readBootId();

export const thisMoment = (): Moment => ({ boot: BOOT, ms: Number(process.hrtime.bigint()) / 1e6 });

/**
 * How long ago a moment was at least, in milliseconds. Of a moment of another run of the machine nothing is known but
 * that it was before this process.
 */
export const leastMsSince = ({ boot, ms }: Moment): number =>
  boot === BOOT ? thisMoment().ms - ms : performance.now();

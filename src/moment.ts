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
 * At least how long ago a moment was, in milliseconds. A moment of another run of the machine is only known to be older
 * than this process.
 */
export const leastMsSince = ({ boot, ms }: Moment): number =>
  boot === BOOT ? thisMoment().ms - ms : performance.now();

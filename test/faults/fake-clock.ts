import { globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { temporaryDirectory } from '../kits/runtime.ts';

export interface FakeClock {
  /** The variables for the process whose wall clock is moved. Its monotonic clock stays true. */
  env: Record<string, string>;
  /** @param offset as libfaketime reads it: `+0`, `-5d` */
  jump(offset: string): void;
}

/** Where Debian's package puts it, or LIBFAKETIME. */
const LIBRARY = process.env.LIBFAKETIME ?? globSync('/usr/lib/*/faketime/libfaketime.so.1')[0];

/** A wall clock that can be moved while the process runs (libfaketime); skips the test where that is not installed. */
export function fakeClock({ skip }: TestContext): FakeClock {
  if (LIBRARY === undefined) skip('libfaketime is not installed (apt-get install libfaketime)');
  const file = join(temporaryDirectory(), 'faketimerc');
  const jump = (offset: string): void => writeFileSync(file, `${offset}\n`);
  jump('+0');
  return {
    env: {
      LD_PRELOAD: LIBRARY ?? '',
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    jump,
  };
}

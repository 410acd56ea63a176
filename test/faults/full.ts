/** All fault cases as tests; `npm run faults` runs this file, `npm test` only the quick ones (faults.quick.test.ts). */
import { test } from 'vitest';
import { useBackend } from '../kits/stack.ts';
import { BACKEND } from './backend-kind.ts';
import { CASES } from './registry.ts';
import { play } from './watch.ts';

for (const faultCase of CASES) {
  const { name, limit = 60 } = faultCase;
  test(name, { timeout: limit * 1_000 }, async (context) => {
    useBackend(BACKEND);
    context.task.meta.figure = await play(faultCase, context);
  });
}

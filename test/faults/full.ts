/** All fault cases as tests; `npm run faults` runs this file, `npm test` only the quick ones (faults.quick.test.ts). */
import { test } from 'vitest';
import { useBackend } from '../kits/stack.ts';
import { BACKEND } from './backend-kind.ts';
import { CASES } from './registry.ts';

for (const { name, limit = 60, run } of CASES) {
  test(name, { timeout: limit * 1_000 }, async (context) => {
    useBackend(BACKEND);
    context.task.meta.figure = await run(context);
  });
}

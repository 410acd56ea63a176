/** Some of the fault cases that take a few seconds; `npm run faults` runs all of them. */
import { test } from 'vitest';
import { CASES } from './registry.ts';

for (const { name, what, run } of CASES.filter(({ quick }) => quick === true)) {
  test(`${name}: ${what}`, async (context) => {
    context.task.meta.figure = await run(context);
  });
}

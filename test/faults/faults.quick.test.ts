/** Some of the fault cases that take a few seconds, with both backends; `npm run faults` runs all of them. */
import { describe, test } from 'vitest';
import { useBackend } from '../kits/stack.ts';
import { CASES } from './registry.ts';
import { play } from './watch.ts';

describe.each(['plain', 'extended'] as const)('%s backend', (backend) => {
  for (const faultCase of CASES.filter(({ quick }) => quick === true)) {
    test(`${faultCase.name}: ${faultCase.what}`, async (context) => {
      useBackend(backend);
      context.task.meta.figure = await play(faultCase, context);
    });
  }
});

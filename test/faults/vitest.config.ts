import { defineConfig } from 'vitest/config';

/** All fault cases, for `npm run faults`: `npm test` only takes the quick ones. */
export default defineConfig({
  test: {
    include: ['test/faults/full.ts'],
    root: `${import.meta.dirname}/../..`,
    // The cases run the bundle.
    globalSetup: 'test/kits/build.ts',
  },
});

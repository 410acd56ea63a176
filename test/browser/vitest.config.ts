/** `npm run test:browser`: the tests in a real browser, which then must be there. */
import { defineConfig } from 'vitest/config';
import root from '../../vitest.config.ts';
import { chromiumPath } from '../../scripts/chromium.ts';

if (chromiumPath() === null) {
  throw new Error(
    'No Chromium was found: install it (Debian: apt-get install chromium), or set CHROMIUM_PATH.',
  );
}

export default defineConfig({
  ...root,
  // Not the projects of the root: they are all that a browser is not needed for.
  test: {
    include: ['test/browser/**/*.test.ts'],
    globalSetup: 'test/kits/build.ts',
    maxWorkers: '100%',
    // A browser on a busy machine takes its time.
    testTimeout: 120_000,
  },
});

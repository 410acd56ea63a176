import { defineConfig } from 'vitest/config';

export default defineConfig({
  // xstate's development build warns about events that are sent to stopped actors.
  resolve: { conditions: ['development'] },
  ssr: { resolve: { conditions: ['development'] } },
  test: {
    include: ['{src,machines,convex,scripts,test}/**/*.test.ts'],
    // The process suites run the bundle.
    globalSetup: 'test/support/build.ts',
    testTimeout: 30_000,
  },
});

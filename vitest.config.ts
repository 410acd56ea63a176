import { defineConfig } from 'vitest/config';

export default defineConfig({
  // xstate's development build warns about events that are sent to stopped actors.
  resolve: { conditions: ['development'] },
  ssr: { resolve: { conditions: ['development'] } },
  test: {
    // Waits for a condition end by themselves, and say what they waited for, well before this.
    testTimeout: 60_000,
    // The process suites mostly wait, for other processes.
    maxWorkers: '100%',
    projects: [
      {
        extends: true,
        test: {
          name: 'all',
          include: ['{src,machines,convex,scripts,test,docker,deploy}/**/*.test.ts'],
          // Real containers: npm run test:compose; a real browser: npm run test:browser.
          exclude: ['test/compose/**', 'test/browser/**'],
          // The process suites run the bundle.
          globalSetup: 'test/kits/build.ts',
        },
      },
      // The tests of convex/ run on convex-test above, and once more on the engine of the local Mission Control.
      {
        extends: true,
        test: {
          name: 'local engine',
          include: ['convex/**/*.test.ts'],
          env: { CONVEX_ENGINE: 'local' },
        },
      },
    ],
  },
});

import { defineConfig } from 'vitest/config';

/** `npm run test:compose`: the stack on a real engine. */
export default defineConfig({
  test: {
    include: ['test/compose/**/*.test.ts'],
    globalSetup: 'test/compose/engine.ts',
    // Images are built and the gateway takes its time to start; every wait inside ends by itself before this.
    testTimeout: 480_000,
    hookTimeout: 900_000,
    // One stack at a time: two gateways would take the machine from each other.
    fileParallelism: false,
  },
});

/** The profile convex, with a stand-in for the official image: all around that image is the stack's own. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REPO } from '../kits/readme.ts';
import { newStack, type Stack } from './stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await newStack({ COMPOSE_PROFILES: 'convex', CONVEX_IMAGE: 'node:24-bookworm-slim' });
  writeFileSync(join(stack.root, 'docker-compose.override.yml'), JSON.stringify(STAND_IN));
  await stack.compose('build', 'convex-deploy');
});

afterAll(() => stack.down());

const asks = `fetch('http://localhost:3210/version').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))`;

const STAND_IN = {
  services: {
    convex: {
      command: ['node', '/app/test/kits/convex-image.ts'],
      stop_signal: 'SIGTERM',
      // curl is the image's.
      healthcheck: { test: ['CMD', 'node', '-e', asks], interval: '1s' },
      volumes: [
        './package.json:/app/package.json:ro',
        './docker/convex:/app/docker/convex:ro',
        './test/kits/convex-image.ts:/app/test/kits/convex-image.ts:ro',
        `${join(REPO, 'node_modules')}:/app/node_modules:ro`,
      ],
    },
  },
};

const credential = (name: string): Promise<string> =>
  stack.compose(
    ...['run', '--rm', '--no-deps', '-T', '--user', '1000', '--entrypoint', 'cat'],
    ...['convex-deploy', `/run/secrets/${name}`],
  );

test("up deploys, seeds, and leaves account and token to the runtime's user, the second time the same", async () => {
  await stack.compose('up', '--detach', 'convex-deploy');
  await stack.compose('wait', 'convex-deploy');
  expect((await stack.container('convex-deploy')).State).toMatchObject({ Status: 'exited', ExitCode: 0 });
  const said = await stack.compose('logs', '--no-log-prefix', 'convex-deploy');
  expect(said).toContain('http://convex:3210 is ready for account account1');
  expect(await credential('ACCOUNT_ID')).toBe('account1');
  const token = await credential('SERVICE_TOKEN');
  expect(token).toMatch(/^mc_service_account1_[0-9a-f]{64}$/);
  expect(said).not.toContain(token);
  expect(statSync(join(stack.root, '.runtime/state')).uid).toBe(1000);

  await stack.compose('up', '--detach', '--force-recreate', 'convex-deploy');
  await stack.compose('wait', 'convex-deploy');
  expect(await credential('SERVICE_TOKEN')).toBe(token);
});

/**
 * `npm run upgrade` on a real engine: to a good image, to bad ones, with nothing new, and interrupted. One stack for all
 * tests, which follow one another as they stand here; each leaves a runtime that is well.
 */
import { readdirSync, statSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { until } from '../kits/until.ts';
import { IMAGE, startUpgradeStack, type UpgradeStack } from './upgrade-stack.ts';

// Containers start and stop in every test.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 600_000 });

/** Longer than all of a test. */
const LONG_RUN_MS = 120_000;

let stack: UpgradeStack;
let taskId: string;

beforeAll(async () => {
  stack = await startUpgradeStack();
  taskId = (await listTaskIds())[0] ?? '';
  await stack.waitForHealth('The runtime is healthy', ({ status }) => status === 'healthy');
});

afterAll(() => stack.down());

async function listTaskIds(): Promise<string[]> {
  const tasks = (await stack.person.call('demo/actions:listTasks', {})) as { _id: string }[];
  return tasks.map(({ _id }) => _id);
}

/** An image whose runtime is as bad as the lines make it. */
async function badImage(tag: string, ...lines: string[]): Promise<void> {
  const directory = join(stack.root, 'bad image');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'Dockerfile'), [`FROM ${IMAGE}:1.0.0`, ...lines].join('\n'));
  await stack.docker('build', '--quiet', '--tag', `${IMAGE}:${tag}`, directory);
}

const idOf = (tag: string): Promise<string> =>
  stack.docker('image', 'inspect', '--format', '{{.Id}}', `${IMAGE}:${tag}`);

/** Asks the engineer and waits until it is at work on it. */
async function putToWork(text: string): Promise<void> {
  await stack.person.postMessage(taskId, `@engineer ${text}`);
  await until('A run is under way', async () => (await stack.openRuns()) > 0);
}

const countReplies = async (text: string): Promise<number> =>
  (await stack.person.listThread(taskId)).filter(
    ({ authorType, content }) => authorType === 'agent' && content.includes(text),
  ).length;

/** Answered, and once: nothing is lost, nothing is said twice. */
async function expectOneReply(text: string): Promise<void> {
  await until('The reply is there', async () => (await countReplies(text)) > 0, 60_000);
  await stack.waitForHealth(
    'Nothing is left to do',
    ({ delivery }) => delivery.inFlight + delivery.queued === 0,
  );
  expect(await countReplies(text)).toBe(1);
}

/** The newest entry, when it is there: the runtime tells with its next report. */
const lastInHistory = (entries: number) =>
  until('The history has grown', async () => {
    const { upgradeHistory } = await stack.history();
    return upgradeHistory.length === entries ? upgradeHistory.at(-1) : null;
  });

/** Those of these tests, by name: of one moment the engine lists them as it likes. */
async function listImages(): Promise<string[]> {
  const format = ['--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}'];
  const listed = await stack.docker('image', 'ls', ...format, '--filter', 'reference=upgrade-test-*');
  return listed.split('\n').toSorted();
}

/** All that a run could change. */
async function everything() {
  const names = ['runtime', 'backend', 'echo-gateway'];
  const files = readdirSync(stack.root, { recursive: true, encoding: 'utf8' }).filter(
    (path) => !path.startsWith('.runtime'),
  );
  return {
    containers: await Promise.all(names.map((name) => stack.container(name))),
    images: await listImages(),
    files: files.map((path) => [path, statSync(join(stack.root, path)).mtimeMs]),
    env: stack.env(),
  };
}

test('--dry-run tells and changes nothing', async () => {
  const before = await everything();
  for (const args of [[], ['--tag', '1.1.0'], ['--build']]) {
    const { code, output } = await stack.upgrade(['--dry-run', ...args]).ended;
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringContaining('nothing is pulled, built') as string,
    });
    expect(output).toContain(`Stack upgrade-test-${process.pid} of ${stack.root}, profiles: local.`);
    expect(output).toContain(`its data is in ${stack.root}/.runtime`);
  }
  expect(await everything()).toEqual(before);
});

test('with nothing new it restarts nothing, also after a build', async () => {
  const before = await everything();
  for (const args of [[], ['--build']]) {
    const { code, output } = await stack.upgrade(args).ended;
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringContaining('Already current') as string,
    });
  }
  expect((await everything()).containers).toEqual(before.containers);
});

test('what cannot begin leaves all as it was', async () => {
  const before = (await everything()).containers;
  const missing = await stack.upgrade(['--tag', 'never-built']).ended;
  expect(missing.code).toBe(1);
  expect(missing.output).toContain(`There is no image ${IMAGE}:never-built on this machine`);

  const bin = join(stack.root, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'df'), '#!/bin/sh\necho Filesystem\necho /dev/full 100 90 10 90% /\n', {
    mode: 0o755,
  });
  const full = await stack.upgrade([], { PATH: `${bin}:${process.env['PATH'] ?? ''}` }).ended;
  expect(full.code).toBe(1);
  expect(full.output).toMatch(/There are 0 MB free on .* Nothing was changed/);
  expect((await everything()).containers).toEqual(before);
});

test('asked for by Mission Control: exit 75 under work, held back, then upgraded under work', async () => {
  await stack.setRunTime(3_000);
  await putToWork('before the request');
  await stack.person.call('demo/actions:requestUpgrade', {
    targetRuntimeVersion: '1.1.0',
    strategy: 'immediate',
  });
  const { upgrade } = await stack.waitForHealth(
    'It is held back',
    (health) => health.upgrade.state === 'heldBack',
  );
  expect(upgrade.reason).toMatch(
    /runtime 1\.1\.0 .* this image is still runtime 1\.0\.0 .*: run the upgrade script$/,
  );
  expect((await stack.container('runtime')).restarts).toBe(1);
  await expectOneReply('before the request');

  const [backend, gateway] = [await stack.container('backend'), await stack.container('echo-gateway')];
  await stack.setRunTime(15_000);
  await putToWork('during the upgrade');
  await stack.setRunTime(0);
  const script = stack.upgrade(['--build', '--tag', '1.1.0'], { VERSION: '1.1.0' });
  await until('It has begun', () => script.output().includes('Stack '));
  const second = await stack.upgrade([]).ended;
  expect(second).toEqual({
    code: 1,
    output: expect.stringContaining(`is being changed already: process ${script.pid} of `) as string,
  });
  const { code, output } = await script.ended;
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toContain('Mission Control asks for runtime 1.1.0');
  expect(output).toContain('Upgraded: runtime 1.0.0 -> 1.1.0. It is healthy');
  expect(output).toMatch(/Downtime: \d+\.\d s .*\(drain \d+\.\d s, change \d+\.\d s\)/);
  process.stdout.write(`upgrade: ${/Downtime: .*/.exec(output)?.[0] ?? ''}\n`);
  await expectOneReply('during the upgrade');

  const health = await stack.waitForHealth(
    'Nothing is asked for',
    (report) => report.upgrade.state === 'current',
  );
  expect(health).toMatchObject({ versions: { runtime: '1.1.0' }, upgrade: { targetRuntimeVersion: null } });
  const { pendingUpgrade, upgradeHistory } = await stack.history();
  expect(pendingUpgrade).toBeUndefined();
  expect(upgradeHistory).toMatchObject([
    { status: 'success', fromRuntimeVersion: '1.0.0', toRuntimeVersion: '1.1.0' },
  ]);
  expect([await stack.container('backend'), await stack.container('echo-gateway')]).toEqual([
    backend,
    gateway,
  ]);
});

test('the tag is kept: docker compose up -d changes nothing', async () => {
  expect(stack.env()).toContain('RUNTIME_TAG=1.1.0\n');
  const before = await stack.container('runtime');
  await stack.compose('up', '--detach', '--wait', '--no-build');
  expect(await stack.container('runtime')).toEqual(before);
});

test('back by hand: a drain that takes too long is cut off, and nothing is lost', async () => {
  await stack.setRunTime(LONG_RUN_MS);
  await putToWork('work that is cut off');
  await stack.setRunTime(0);
  const { code, output } = await stack.upgrade(['--tag', 'previous', '--timeout', '1']).ended;
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toContain('cut off and handed back');
  // Never the tag that moves: the image's own.
  expect(stack.env()).toContain('RUNTIME_TAG=1.0.0\n');
  expect(await idOf('previous')).toBe(await idOf('1.1.0'));
  expect(output).toContain('Upgraded: runtime 1.1.0 -> 1.0.0.');
  await expectOneReply('work that is cut off');
  expect(await lastInHistory(2)).toMatchObject({ status: 'success', toRuntimeVersion: '1.0.0' });
});

test('the images that ran are listed, and a build goes onto none of them', async () => {
  const { code, output } = await stack.upgrade(['--list']).ended;
  expect(code).toBe(0);
  expect(output).toMatch(
    /^upgrade: {3}held-\d{8}-\d{6}\S* {2}version 1\.1\.0, image [0-9a-f]{12}, previous$/m,
  );
  expect(output).toMatch(
    /^upgrade: {3}held-\d{8}-\d{6}\S* {2}version 1\.0\.0, image [0-9a-f]{12}, runs now$/m,
  );
  const [held = ''] = /held-\S+/.exec(output) ?? [];
  for (const tag of ['previous', held]) {
    const dry = await stack.upgrade(['--dry-run', '--build', '--tag', tag]).ended;
    expect(dry.output).toContain(`Would build ${IMAGE}:local.`);
    expect(dry.output).not.toContain(`build ${IMAGE}:${tag}`);
  }
});

test('an image that never becomes healthy: rolled back, 10', async () => {
  await badImage(
    'never',
    'LABEL org.opencontainers.image.version=1.2.0',
    'HEALTHCHECK --interval=1s --retries=2 CMD ["node", "-e", "process.exit(1)"]',
    'CMD ["node", "-e", "console.log(`I never answer`); setInterval(() => {}, 1e9)"]',
  );
  const [before, env] = [await stack.container('runtime'), stack.env()];
  const { code, output } = await stack.upgrade(['--tag', 'never']).ended;
  expect({ code, output }).toMatchObject({ code: 10 });
  expect(output).toContain('is unhealthy');
  expect(output).toContain('  | I never answer');
  expect(output).toMatch(/Rolled back: runtime 1\.0\.0 runs again\. It is healthy/);
  await expectOldRuntime(before.image, env);
  // An upgrade that did not hold leaves it alone.
  expect(await idOf('previous')).toBe(await idOf('1.1.0'));
  expect(await lastInHistory(3)).toMatchObject({
    status: 'rolled_back',
    fromRuntimeVersion: '1.0.0',
    toRuntimeVersion: '1.2.0',
    error: expect.stringContaining('did not become healthy') as string,
  });
});

test('an image under the old tag that ends at once: the tag goes back as well', async () => {
  await badImage(
    'ends',
    'LABEL org.opencontainers.image.version=1.3.0',
    'CMD ["node", "-e", "process.exit(1)"]',
  );
  const [before, env] = [await stack.container('runtime'), stack.env()];
  await stack.docker('tag', `${IMAGE}:ends`, `${IMAGE}:1.0.0`);
  const { code, output } = await stack.upgrade([]).ended;
  expect({ code, output }).toMatchObject({ code: 10 });
  expect(output).toContain('The new runtime ends as soon as it starts.');
  await expectOldRuntime(before.image, env);
  expect(await lastInHistory(4)).toMatchObject({ status: 'rolled_back', toRuntimeVersion: '1.3.0' });
});

test('Ctrl-C during the drain: the old runtime is started again', async () => {
  await stack.setRunTime(LONG_RUN_MS);
  await putToWork('work that is interrupted');
  await stack.setRunTime(0);
  const [before, env] = [await stack.container('runtime'), stack.env()];
  const script = stack.upgrade(['--tag', '1.1.0']);
  await stack.waitForHealth('It drains', ({ status }) => status === 'draining');
  process.kill(script.pid, 'SIGINT');
  const { code, output } = await script.ended;
  expect({ code, output }).toMatchObject({ code: 10 });
  expect(output).toContain('interrupted by SIGINT during the drain');
  await expectOldRuntime(before.image, env);
  await expectOneReply('work that is interrupted');
});

test('SIGTERM while the new runtime starts: the same', async () => {
  await badImage('slow', 'CMD ["node", "-e", "setInterval(() => {}, 1e9)"]');
  const [before, env] = [await stack.container('runtime'), stack.env()];
  const script = stack.upgrade(['--tag', 'slow']);
  await until(
    'The new runtime is up',
    async () => {
      const image = await stack.container('runtime').then(
        ({ image }) => image,
        () => before.image,
      );
      return image !== before.image;
    },
    60_000,
  );
  process.kill(script.pid, 'SIGTERM');
  const { code, output } = await script.ended;
  expect({ code, output }).toMatchObject({ code: 10 });
  expect(output).toContain('interrupted by SIGTERM while the new containers started');
  await expectOldRuntime(before.image, env);
});

test('back and forth, any number of times', async () => {
  for (const version of ['1.1.0', '1.0.0', '1.1.0', '1.0.0']) {
    const { upgradeHistory } = await stack.history();
    const { code, output } = await stack.upgrade(['--tag', 'previous']).ended;
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain(`-> ${version}. It is`);
    expect(stack.env()).toContain(`RUNTIME_TAG=${version}\n`);
    expect(await lastInHistory(upgradeHistory.length + 1)).toMatchObject({ toRuntimeVersion: version });
  }
  expect(await idOf('previous')).toBe(await idOf('1.1.0'));
});

test('settings that no image can run with: failed, 1, and the way out is told', async () => {
  stack.set('LOG_LEVEL', 'loud');
  const { code, output } = await stack.upgrade([]).ended;
  expect({ code, output }).toMatchObject({ code: 1 });
  expect(output).toMatch(/ {2}\| +LOG_LEVEL: .*loud/);
  expect(output).toContain('Going back failed as well.');
  expect(output).toMatch(
    /Not recovered: mend what is said above, then docker compose up -d starts the old images\.\n$/,
  );

  stack.set('LOG_LEVEL', 'info');
  await stack.compose('up', '--detach', '--wait', '--no-build');
  await stack.waitForHealth('It is healthy', ({ status }) => status === 'healthy');
  // Mission Control keeps the last ten, and there are ten: the newest one tells.
  await until(
    'The history has it',
    async () => (await stack.history()).upgradeHistory.at(-1)?.status === 'failed',
  );
});

/** As before, and docker compose up -d leaves it so. */
async function expectOldRuntime(image: string, env: string): Promise<void> {
  await stack.waitForHealth(
    'It is healthy',
    ({ status, versions }) => status === 'healthy' && versions.runtime === '1.0.0',
  );
  expect(stack.env()).toBe(env);
  const running = await stack.container('runtime');
  expect(running.image).toBe(image);
  await stack.compose('up', '--detach', '--wait', '--no-build');
  expect(await stack.container('runtime')).toEqual(running);
}

/** The README's docker line in a fresh clone, and a second clone beside it: neither takes the other's stack. */
import { execFile } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as v from 'valibot';
import { freePort } from '../../src/local/free-port.ts';
import { until } from '../kits/until.ts';
import { copyCheckout, readmeCommands, REPO } from '../kits/readme.ts';
import { dockerIn, readHealth, removeStack, type Docker } from './checkout.ts';
import { figure, PATIENCE_MS, secondsSince } from './stack.ts';

const run = promisify(execFile);

interface Outcome {
  code: number;
  output: string;
}

interface Checkout {
  root: string;
  docker: Docker;
  healthPort: number;
  /** What a shell in the checkout does with the line. */
  type(line: string): Promise<Outcome>;
  /** One of scripts/, from anywhere. */
  script(name: string, ...args: string[]): Promise<Outcome>;
}

/** What compose makes of the directory's name. */
const NAME = 'missioncontrol';

const Ended = v.object({ code: v.number(), stdout: v.string(), stderr: v.string() });

/** @param settings in the environment of everything that is run there, in place of an edited .env */
async function newCheckout(settings: Record<string, string>): Promise<Checkout> {
  // Both have a directory of the same name, with a space in it.
  const parent = mkdtempSync(join(tmpdir(), 'checkouts-'));
  const root = join(parent, 'Mission Control');
  renameSync(copyCheckout('checkout-'), root);
  const healthPort = await freePort();
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    HEALTH_PORT: String(healthPort),
    BACKEND_PORT: String(await freePort()),
    GATEWAY_PORT: String(await freePort()),
    ...settings,
  };
  const ended = (command: string, args: readonly string[], cwd: string): Promise<Outcome> =>
    run(command, args, { cwd, env, maxBuffer: 2 ** 26 }).then(
      ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
      (error: unknown) => {
        const { code, stdout, stderr } = v.parse(Ended, error);
        return { code, output: stdout + stderr };
      },
    );
  return {
    root,
    docker: dockerIn(root, env),
    healthPort,
    type: (line) => ended('sh', ['-c', line], root),
    script: (name, ...args) => ended(join(root, 'scripts', name), args, '/'),
  };
}

let first: Checkout;
let second: Checkout;

beforeAll(async () => {
  first = await newCheckout({});
  second = await newCheckout({ COMPOSE_PROFILES: 'local' });
});

afterAll(async () => {
  for (const checkout of [first, second]) {
    const image = /^RUNTIME_IMAGE=(.*)$/m.exec(readFileSync(join(checkout.root, '.env'), 'utf8'))?.[1] ?? '';
    await removeStack(checkout.root, checkout.docker);
    rmSync(join(checkout.root, '..'), { recursive: true });
    await dockerIn(REPO)('image', 'rm', '--force', `${image}:local`);
  }
});

const projectIn = async ({ docker }: Checkout): Promise<string> =>
  /^name: (\S+)$/m.exec(await docker('compose', 'config'))?.[1] ?? '';

const runtimeOf = async ({ docker }: Checkout): Promise<string> => {
  const id = await docker('compose', 'ps', '--quiet', 'runtime');
  return docker('inspect', '--format', '{{.Id}} {{.State.StartedAt}} {{.State.Status}}', id);
};

test("the README's docker line in a fresh clone: all of it answers, and it says what to do next", async () => {
  // Somebody else's stack on this engine may have the directory's name.
  const taken = await first.docker(
    'ps',
    '--all',
    '--quiet',
    '--filter',
    `label=com.docker.compose.project=${NAME}`,
  );
  const start = performance.now();
  const [, line = ''] = readmeCommands('Run it');
  expect(line).toBe('scripts/stack.sh up');
  const { code, output } = await first.type(line);
  expect({ code, output }).toMatchObject({ code: 0 });
  figure(`${line} in a fresh clone, builds included`, secondsSince(start));
  if (taken === '') expect(await projectIn(first)).toBe(NAME);
  expect(output).toContain(`http://127.0.0.1:${first.healthPort}/health`);
  expect(output).toMatch(/ANTHROPIC_API_KEY=.*OPENCLAW_MODEL=/);
  const [, said = ''] = /docker compose (exec backend say ".*")/.exec(output) ?? [];
  expect(said).toContain('@engineer');

  // Word by word what it says; a terminal is what `exec` has there and not here.
  const words = said.replace('exec ', 'exec -T ').match(/"[^"]*"|\S+/g) ?? [];
  const patience = ['--timeout', String(PATIENCE_MS / 1_000)];
  const reply = await first.docker('compose', ...words.map((word) => word.replaceAll('"', '')), ...patience);
  expect(reply).toContain('mock reply: engineer please look at the login bug');
  figure('until the first reply', secondsSince(start));
  const logs = await first.docker('compose', 'logs', '--no-log-prefix', 'openclaw-gateway');
  expect(logs).not.toContain('did not take the roster over');
});

test('containers say whose they are', async () => {
  const id = await first.docker('compose', 'ps', '--quiet', 'runtime');
  const labels: unknown = JSON.parse(
    await first.docker('inspect', '--format', '{{json .Config.Labels}}', id),
  );
  expect(labels).toMatchObject({
    'com.docker.compose.project.working_dir': first.root,
    'mission-control.data-directory': './.runtime',
  });
});

test('an upgrade names the stack, its data, every container that it recreates, and how long each was away', async () => {
  const named = `Stack ${await projectIn(first)} of ${first.root}, profiles: local,mock,openclaw.`;
  appendFileSync(join(first.root, '.env'), 'GATEWAY_MEMORY=2900m\n');
  const dry = await first.script('runtime-upgrade-local.sh', '--dry-run');
  expect(dry).toMatchObject({ code: 0 });
  expect(dry.output).toContain(named);
  expect(dry.output).toContain(`its data is in ${first.root}/.runtime`);
  expect(dry.output).toContain('openclaw-gateway: same image, new settings');
  expect(dry.output).toMatch(/openclaw-gateway would be away for .*at most 315 s/);

  const { code, output } = await first.script('runtime-upgrade-local.sh');
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toContain(named);
  expect(output).toContain(`data in ${first.root}/.runtime: recreated openclaw-gateway.`);
  expect(output).toMatch(/openclaw-gateway was away for \d+\.\d s\./);
  figure('the gateway recreated by an upgrade', /was away for .*/.exec(output)?.[0] ?? '');
});

test('a key that .env gets is in the gateway after up, and goes with its line', async () => {
  const hasKey = async (): Promise<boolean> =>
    (
      await first.docker('compose', 'exec', '-T', 'openclaw-gateway', 'cat', '/run/openclaw/secrets.json')
    ).includes('sk-from-env');
  const own = readFileSync(join(first.root, '.env'), 'utf8');
  for (const [key, isThere] of [
    ['sk-from-env', true],
    ['', false],
  ] as const) {
    writeFileSync(join(first.root, '.env'), `${own}OPENAI_API_KEY=${key}\n`);
    await first.docker('compose', 'up', '--detach', '--wait', '--no-build');
    expect([key, await hasKey()]).toEqual([key, isThere]);
  }
});

test('a second clone has a stack of its own, and the first one does not notice', async () => {
  const [before, project] = [await runtimeOf(first), await projectIn(first)];
  const { code, output } = await second.script('stack.sh', 'up');
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(await projectIn(first)).toBe(project);
  expect(await projectIn(second)).toMatch(/^mission-control-[0-9a-f]{6}$/);
  expect(await projectIn(second)).not.toBe(project);
  expect(await runtimeOf(first)).toBe(before);
  for (const { healthPort } of [first, second]) {
    await until('/health answers', () => readHealth(healthPort), PATIENCE_MS);
  }
});

test("a second clone with the first one's project name is refused, whatever it wants", async () => {
  const before = await runtimeOf(first);
  const own = readFileSync(join(second.root, '.env'), 'utf8');
  // As after `cp ../first/.env .`
  appendFileSync(join(second.root, '.env'), `COMPOSE_PROJECT_NAME=${await projectIn(first)}\n`);
  for (const [script, ...args] of [
    ['stack.sh', 'up'],
    ['stack.sh', 'down'],
    ['runtime-upgrade-local.sh'],
    ['runtime-upgrade-local.sh', '--build'],
    ['runtime-upgrade-local.sh', '--dry-run'],
  ] as const) {
    const { code, output } = await second.script(script, ...args);
    expect([script, ...args, code]).toEqual([script, ...args, 1]);
    expect(output).toContain(`belongs to the checkout ${first.root}, and this is ${second.root}`);
  }
  writeFileSync(join(second.root, '.env'), own);
  expect(await runtimeOf(first)).toBe(before);
});

test('down in one clone leaves the other alone, and keeps its data', async () => {
  const before = await runtimeOf(first);
  const { code, output } = await second.script('stack.sh', 'down');
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toContain('Its data stays in ');
  expect(await runtimeOf(first)).toBe(before);
  expect(await second.docker('compose', 'ps', '--quiet')).toBe('');
});

test('plain compose in a second clone under an equal name takes the containers, not the data: up in the first brings it back', async () => {
  const token = (): Promise<string> =>
    first.docker('compose', 'exec', '-T', 'runtime', 'cat', '/run/secrets/local/SERVICE_TOKEN');
  const before = await token();
  const own = readFileSync(join(second.root, '.env'), 'utf8');
  appendFileSync(join(second.root, '.env'), `COMPOSE_PROJECT_NAME=${await projectIn(first)}\n`);
  await second.docker('compose', 'up', '--detach', '--wait', '--no-build');
  expect(await token()).not.toBe(before);
  writeFileSync(join(second.root, '.env'), own);
  await first.docker('compose', 'up', '--detach', '--wait', '--no-build');
  expect(await token()).toBe(before);
  await until('/health answers', () => readHealth(first.healthPort), PATIENCE_MS);
});

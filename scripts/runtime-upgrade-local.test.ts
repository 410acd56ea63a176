/** What the upgrade script says and refuses before it touches a stack; test/compose has it upgrade a real one. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../test/kits/until.ts';

/**
 * Tells versions and a stack in which nothing is up, unless OWNER says whose runtime there is. Looking at what is up
 * takes until the file `hold` is gone.
 */
const DOCKER = `#!/bin/sh
case "$*" in
  'version --format'*) [ -z "$NO_ENGINE" ] || { echo 'Cannot connect to the Docker daemon.' >&2; exit 1; }; echo 28.0.1 ;;
  'compose version --short') [ -n "$COMPOSE" ] || exit 1; echo "$COMPOSE" ;;
  *config) echo 'name: demo' ;;
  'info '*) echo engine-1 ;;
  'ps --all --quiet '*) [ -z "$OWNER" ] || echo container-1 ;;
  'ps --all '*) ;;
  'inspect '*) echo "$OWNER" ;;
  'ps '*) touch reached; while [ -e hold ]; do sleep 0.05; done ;;
  *) echo "not expected: $*" >&2; exit 1 ;;
esac
`;

/** A checkout with the script, and a space in its path. */
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'upgrade script-'));
  for (const part of ['runtime-upgrade-local.sh', 'upgrade']) {
    cpSync(join(import.meta.dirname, part), join(root, 'scripts', part), { recursive: true });
  }
  mkdirSync(join(root, 'bin'));
  writeFileSync(join(root, 'bin/docker'), DOCKER, { mode: 0o755 });
  writeFileSync(join(root, '.env'), 'RUNTIME_TAG=local\n');
});
afterEach(() => rmSync(root, { recursive: true }));

const environment = (more: Record<string, string> = {}): Record<string, string> => ({
  PATH: `${join(root, 'bin')}:${process.env['PATH'] ?? ''}`,
  COMPOSE: '2.26.1-4',
  STACK_LOCK_DIR: root,
  ...more,
});

const script = (): string => join(root, 'scripts/runtime-upgrade-local.sh');

function run(args: string[], env?: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync(script(), args, { env: environment(env), encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** One sentence or two, on one line, and nothing else. */
function expectRefusal(answer: ReturnType<typeof run>, status: number, sentence: string): void {
  expect(answer).toMatchObject({ status, stdout: '' });
  expect(answer.stderr).toMatch(/^upgrade: .*\n$/);
  expect(answer.stderr).toContain(sentence);
}

test('--help tells every option and exit code, and needs nothing', () => {
  const { status, stdout, stderr } = run(['--help'], { NO_ENGINE: '1' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  for (const option of ['--list', '--tag', '--openclaw-tag', '--build', '--timeout', '--dry-run', '--help']) {
    expect(stdout).toContain(`\n  ${option}`);
  }
  for (const code of [0, 1, 2, 10]) expect(stdout).toMatch(new RegExp(`\n {2}${code} +`));
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(90);
});

test.for<[string[], string]>([
  [['--fast'], 'There is no option --fast.'],
  [['now'], 'There is no option now.'],
  [['--tag'], '--tag needs a value.'],
  [['--tag', ''], "not ''"],
  [['--tag', '--build'], "not '--build'"],
  [['--tag=a b'], "not 'a b'"],
  [['--tag', 'x/y'], '--tag must be an image tag'],
  [['--openclaw-tag', '$(id)'], '--openclaw-tag must be an image tag'],
  [['--timeout', '0'], "not '0'"],
  [['--timeout', '3601'], 'from 1 to 3600'],
  [['--timeout', '1m'], "not '1m'"],
  [['--timeout', '08'], "not '08'"],
])('%j is misused: exit 2', ([args, sentence]) => {
  expectRefusal(run(args, { NO_ENGINE: '1' }), 2, sentence);
});

/** Of this stack, in the directory that stands for /tmp. */
const locks = (): string[] => readdirSync(root).filter((name) => name.endsWith('.lock'));

describe('before it looks at the stack', () => {
  test.for<[string, Record<string, string>, string]>([
    ['an engine that is away', { NO_ENGINE: '1' }, 'The Docker engine does not answer'],
    ['no compose', { COMPOSE: '' }, 'install the Compose plugin, 2.20 or newer'],
    ['an old compose', { COMPOSE: 'v2.19.1' }, 'Compose v2.19.1 is too old: 2.20 or newer is needed.'],
    ['compose of another age', { COMPOSE: '1.29.2' }, 'too old'],
    ['compose of no version', { COMPOSE: 'dev' }, 'no version that can be read: dev'],
    [
      'the settings of an account that are not there',
      { COMPOSE_ENV_FILES: 'acme.env' },
      'There is no acme.env',
    ],
  ])('%s', ([, env, sentence]) => {
    expectRefusal(run([], env), 1, sentence);
  });

  test.for(['v2.20.0', '2.40.3', '3.0.0'])('compose %s is new enough', (version) => {
    expectRefusal(run([], { COMPOSE: version }), 1, 'No runtime of the project demo is up');
  });

  test.for(['docker', 'flock'])('no %s', (missing) => {
    const tools = [
      'bash',
      'env',
      'dirname',
      'docker',
      'flock',
      'awk',
      'df',
      'id',
      'cksum',
      'tr',
      'date',
      'cat',
    ].filter((name) => name !== missing);
    for (const name of tools.filter((tool) => tool !== 'docker')) {
      const path = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
      symlinkSync(path, join(root, 'bin', name));
    }
    if (missing === 'docker') rmSync(join(root, 'bin/docker'));
    expectRefusal(run([], { PATH: join(root, 'bin') }), 1, `The command ${missing} is not here`);
  });

  test('no .env', () => {
    rmSync(join(root, '.env'));
    expectRefusal(run([]), 1, 'There is no .env');
    expect(locks()).toEqual([]);
  });

  test('nothing is up', () => {
    expectRefusal(run([]), 1, 'start the stack with docker compose up -d');
  });
});

describe('the lock', () => {
  /** A run that stays where it looks at what is up. */
  async function heldRun(): Promise<number> {
    writeFileSync(join(root, 'hold'), '');
    const child = spawn(script(), { env: environment(), stdio: 'ignore', detached: true });
    const pid = child.pid ?? 0;
    const ended = new Promise((resolve) => child.once('close', resolve));
    onTestFinished(async () => {
      rmSync(join(root, 'hold'), { force: true });
      await ended;
    });
    await until('It looks at what is up', () => existsSync(join(root, 'reached')));
    return pid;
  }

  test.for([[], ['--dry-run']])('a second run (%j) says who holds it', async (args) => {
    const pid = await heldRun();
    expectRefusal(run(args), 1, `The stack demo is being changed already: process ${pid} of `);
  });

  test('goes with its holder, killed or not', async () => {
    const pid = await heldRun();
    process.kill(-pid, 'SIGKILL');
    rmSync(join(root, 'hold'));
    await until('The next run is let in', () => run([]).stderr.includes('No runtime of the project demo'));
  });

  test('a dry run leaves none', () => {
    run(['--dry-run']);
    expect(locks()).toEqual([]);
  });
});

describe('a stack of another checkout', () => {
  test.each([[], ['--dry-run'], ['--build'], ['--list']].map((args) => [args]))('is refused: %j', (args) => {
    const other = mkdtempSync(join(tmpdir(), 'other checkout-'));
    onTestFinished(() => rmSync(other, { recursive: true }));
    const answer = run(args, { OWNER: `${other}|${other}/.runtime/state` });
    expectRefusal(answer, 1, `The stack demo belongs to the checkout ${other}, and this is ${root}`);
    expect(answer.stderr).toContain('nothing was changed');
    expect(locks()).toEqual([]);
  });

  test('is taken over where that checkout is gone: it was moved', () => {
    expectRefusal(
      run([], { OWNER: '/no/such/checkout|/no/such/data/state' }),
      1,
      'No runtime of the project demo',
    );
  });

  test('of this checkout it is none', () => {
    expectRefusal(run([], { OWNER: `${root}|${root}/.runtime/state` }), 1, 'No runtime of the project demo');
  });
});

describe('the tag in .env', () => {
  const setTag = (): void => {
    const parts = ['common', 'settings'].map((name) => `. scripts/upgrade/${name}.sh`).join('; ');
    execFileSync('bash', ['-euc', `${parts}; ENV_FILE=.env; set_variable RUNTIME_TAG 1.1.0`], { cwd: root });
  };
  const env = (): string => join(root, '.env');

  test.for([
    ['is replaced where it stands', 'A=1\nRUNTIME_TAG=local\nB=2\n', 'A=1\nRUNTIME_TAG=1.1.0\nB=2\n'],
    ['is added', 'A=1\n', 'A=1\nRUNTIME_TAG=1.1.0\n'],
    ['is added after a line without an end', 'A=1', 'A=1\nRUNTIME_TAG=1.1.0\n'],
    ['is there once', 'RUNTIME_TAG=1\nRUNTIME_TAG=2\n', 'RUNTIME_TAG=1.1.0\n'],
    ['loses quotes and export', 'export RUNTIME_TAG = "x y"\n', 'RUNTIME_TAG=1.1.0\n'],
    [
      'leaves comments and others alone',
      '# RUNTIME_TAG=x\nMY_RUNTIME_TAG=y\nA=\\n&"\'$B\n',
      '# RUNTIME_TAG=x\nMY_RUNTIME_TAG=y\nA=\\n&"\'$B\nRUNTIME_TAG=1.1.0\n',
    ],
  ])('%s', ([, before = '', after]) => {
    writeFileSync(env(), before);
    setTag();
    expect(readFileSync(env(), 'utf8')).toBe(after);
  });

  test('keeps the mode, and a link', () => {
    const target = join(root, 'settings of acme.env');
    writeFileSync(target, 'SERVICE_TOKEN=secret\n');
    chmodSync(target, 0o600);
    rmSync(env());
    symlinkSync(target, env());
    setTag();
    expect(lstatSync(env()).isSymbolicLink()).toBe(true);
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(readFileSync(target, 'utf8')).toBe('SERVICE_TOKEN=secret\nRUNTIME_TAG=1.1.0\n');
  });
});

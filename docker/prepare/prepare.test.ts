/** What the prepare service makes and what it leaves alone; it runs here as the user of the tests. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'prepare-'));
});
afterEach(() => rmSync(data, { recursive: true }));

const OWNER = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;

function prepare(env: Record<string, string> = {}) {
  const { status, stderr } = spawnSync('sh', [join(import.meta.dirname, 'prepare.sh')], {
    env: { PATH: process.env['PATH'] ?? '', RUNTIME_DIR: data, DATA_DIR: '/srv/data', OWNER, ...env },
    encoding: 'utf8',
  });
  return { status, stderr };
}

const modeOf = (name: string): number => statSync(join(data, name)).mode & 0o777;
const token = (side: string): string =>
  readFileSync(join(data, 'secrets', side, 'OPENCLAW_GATEWAY_TOKEN'), 'utf8');

test('makes every directory and one token for both sides, and the second time nothing', () => {
  expect(prepare()).toEqual({ status: 0, stderr: '' });
  for (const name of ['state', 'secrets/runtime/local', 'roster', 'gateway', 'workspaces']) {
    expect([name, modeOf(name)]).toEqual([name, 0o700]);
  }
  expect(token('gateway')).toMatch(/^[0-9a-f]{64}$/);
  const before = token('runtime');
  expect(before).toBe(token('gateway'));
  expect(prepare()).toEqual({ status: 0, stderr: '' });
  expect(token('runtime')).toBe(before);
});

test("leaves the modes of what is there, and the data directory's, alone", () => {
  chmodSync(data, 0o700);
  mkdirSync(join(data, 'workspaces/engineer'), { recursive: true });
  writeFileSync(join(data, 'workspaces/engineer/notes.md'), 'mine', { mode: 0o640 });
  chmodSync(join(data, 'workspaces'), 0o750);
  expect(prepare().status).toBe(0);
  expect(statSync(data).mode & 0o777).toBe(0o700);
  expect(modeOf('workspaces')).toBe(0o750);
  expect(modeOf('workspaces/engineer/notes.md')).toBe(0o640);
});

test("a directory of somebody else's is refused in one sentence, before anything is made", () => {
  mkdirSync(join(data, 'workspaces'));
  writeFileSync(join(data, 'workspaces/theirs'), 'theirs');
  const { status, stderr } = prepare({ OWNER: '4242:4242' });
  expect(status).toBe(78);
  expect(stderr).toBe(
    `prepare: /srv/data/workspaces belongs to user ${OWNER} and not to 4242:4242, so nothing was changed: chown it to 4242:4242 if it is this stack's, or set DATA_DIR to another directory.\n`,
  );
  expect(existsSync(join(data, 'state'))).toBe(false);
});

test("the gateway's secrets in .env become files, which go with their settings", () => {
  const file = (name: string): string => join(data, 'secrets/gateway/from-settings', name);
  expect(prepare({ ANTHROPIC_API_KEY: 'sk-1', OPENAI_API_KEY: 'sk-2' })).toEqual({ status: 0, stderr: '' });
  expect(readFileSync(file('ANTHROPIC_API_KEY'), 'utf8')).toBe('sk-1');
  expect(modeOf('secrets/gateway/from-settings/ANTHROPIC_API_KEY')).toBe(0o600);
  expect(prepare({ OPENAI_API_KEY: 'sk-3' }).status).toBe(0);
  expect(existsSync(file('ANTHROPIC_API_KEY'))).toBe(false);
  expect(readFileSync(file('OPENAI_API_KEY'), 'utf8')).toBe('sk-3');
});

test('ports that other machines can reach are warned of', () => {
  for (const address of ['127.0.0.1', '::1', 'localhost']) {
    expect(prepare({ BIND_ADDRESS: address }).stderr).toBe('');
  }
  expect(prepare({ BIND_ADDRESS: '0.0.0.0' })).toEqual({
    status: 0,
    stderr: expect.stringMatching(/^prepare: BIND_ADDRESS=0\.0\.0\.0 opens .*\n$/) as string,
  });
});

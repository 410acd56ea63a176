import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JsonObject } from './json.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'openclaw-config-'));
  path = join(directory, 'openclaw.json');
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Runs configure.ts as the gateway's start does. */
function configure() {
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'configure.ts')], {
    env: {
      OPENCLAW_CONFIG_PATH: path,
      WORKSPACES_DIR: join(directory, 'workspaces'),
      SECRETS_FILE: join(directory, 'secrets.json'),
      OPENCLAW_GATEWAY_TOKEN: 'a-token',
    },
    encoding: 'utf8',
  });
  return { status, stderr };
}

const written = (): JsonObject => JSON.parse(readFileSync(path, 'utf8')) as JsonObject;

const BY_HAND = `// my gateway
{ gateway: { mode: 'local', port: 18789, /* keep */ }, agents: { entries: {}, }, logging: { level: 'warn' } }
`;

test('a file as people write it is merged, and kept as it was', () => {
  writeFileSync(path, BY_HAND);
  const { status, stderr } = configure();
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: `configure: ${path} was JSON5 and is JSON now, without its comments. As it was, it is kept in ${path}.bak and ${path}.as-written.\n`,
  });
  expect(written()).toMatchObject({
    logging: { level: 'warn' },
    agents: { ownership: 'explicit' },
    tools: { toolSearch: { enabled: true, mode: 'directory' }, fs: { workspaceOnly: true } },
  });
  for (const copy of ['bak', 'as-written']) expect(readFileSync(`${path}.${copy}`, 'utf8')).toBe(BY_HAND);
  // The second start finds JSON: it says nothing, and the copies stay.
  expect(configure()).toEqual({ status: 0, stderr: '' });
  expect(readFileSync(`${path}.bak`, 'utf8')).toBe(BY_HAND);
});

test('a byte order mark before good JSON is no trouble', () => {
  writeFileSync(path, '\uFEFF{"logging":{"level":"warn"}}');
  expect(configure().status).toBe(0);
  expect(written()).toMatchObject({ logging: { level: 'warn' } });
});

test('what is not even JSON5 is left alone: line and column are told, nothing is quoted', () => {
  const text = '{\n  gateway: { auth: { token: "hunter2" } },\n  agents: §hunter3\n}\n';
  writeFileSync(path, text);
  expect(configure()).toEqual({
    status: 78,
    stderr: `configure: ${path} is neither JSON nor JSON5 (line 3, column 11): correct it, or remove it to begin with the template\n`,
  });
  expect(readFileSync(path, 'utf8')).toBe(text);
  expect(existsSync(`${path}.bak`)).toBe(false);
});

test('plain JSON leaves no copy', () => {
  writeFileSync(path, '{}');
  expect(configure()).toEqual({ status: 0, stderr: '' });
  expect(existsSync(`${path}.bak`)).toBe(false);
});

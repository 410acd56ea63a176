import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSecrets, readToken, SECRET_NAMES, writeSecrets } from './secrets.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'secrets-'));
  mkdirSync(join(directory, 'from-settings'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('a secret is a variable, else what .env says, else a file; an empty one is none', () => {
  const name = 'ANTHROPIC_API_KEY';
  expect(readSecrets({ [name]: '' }, directory)).toEqual({});
  writeFileSync(join(directory, name), 'by file\n');
  expect(readSecrets({}, directory)).toEqual({ [name]: 'by file' });
  writeFileSync(join(directory, 'from-settings', name), 'by settings');
  expect(readSecrets({}, directory)).toEqual({ [name]: 'by settings' });
  expect(readSecrets({ [name]: 'by variable' }, directory)).toEqual({ [name]: 'by variable' });
});

test('the file is for its owner alone, and has the token', () => {
  const path = join(directory, 'secrets.json');
  writeSecrets(path, { OPENCLAW_GATEWAY_TOKEN: 't' });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readToken(path)).toBe('t');
  writeSecrets(path, {});
  expect(() => readToken(path)).toThrow(`${path} holds no OPENCLAW_GATEWAY_TOKEN`);
});

test('the start script and prepare know the same secrets', () => {
  for (const path of ['start-openclaw.sh', '../prepare/prepare.sh']) {
    const script = readFileSync(join(import.meta.dirname, path), 'utf8');
    const [list = ''] =
      /(?:unset|for name in) OPENCLAW_GATEWAY_TOKEN[^;#]*?SLACK_APP_TOKEN/.exec(script) ?? [];
    expect(list.match(/[A-Z]+(?:_[A-Z]+)+/g)).toEqual([...SECRET_NAMES]);
  }
});

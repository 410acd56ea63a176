import fc from 'fast-check';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig, type Config } from './config.ts';
import { ConfigError } from './errors.ts';
import { settingNotes } from './settings.ts';

const dir = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(dir, { recursive: true }));

const TOKEN = 'mc_service_acc1_0123456789abcdef';
const BASE = { ACCOUNT_ID: 'acc1', CONVEX_URL: 'http://127.0.0.1:3210' };

function fileWith(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

const load = (env: NodeJS.ProcessEnv) => loadConfig({ ...BASE, ...env }, { terminal: false, cwd: dir });

function problemsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    load(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('a secret in a file', () => {
  it.each<[name: string, read: (config: Config) => unknown, secret: string]>([
    ['SERVICE_TOKEN', (c) => c.serviceToken, TOKEN],
    ['OPENCLAW_GATEWAY_TOKEN', (c) => c.gateway?.token, 'gateway-secret'],
  ])('%s is read, without the line end', (name, read, secret) => {
    fileWith(name, `${secret}\n`);
    // The path is relative to the working directory.
    const { config, effective } = load({
      SERVICE_TOKEN: TOKEN,
      [name]: undefined,
      [`${name}_FILE`]: `./${name}`,
    });
    expect(read(config)).toBe(secret);
    expect(effective).toContainEqual({ name, value: '***', source: 'file' });
  });

  it('or an account id in a file, for whoever makes the token knows it as well', () => {
    const file = fileWith('ACCOUNT_ID', 'acc1\n');
    const { config, effective } = load({ ACCOUNT_ID: '', ACCOUNT_ID_FILE: file, SERVICE_TOKEN: TOKEN });
    expect(config.accountId).toBe('acc1');
    expect(effective).toContainEqual({ name: 'ACCOUNT_ID', value: 'acc1', source: 'file' });
  });

  it('is one of two ways, not both', () => {
    expect(problemsOf({ SERVICE_TOKEN: TOKEN, SERVICE_TOKEN_FILE: fileWith('both', TOKEN) })).toEqual([
      'SERVICE_TOKEN: set together with SERVICE_TOKEN_FILE; keep one of the two',
    ]);
    expect(load({ SERVICE_TOKEN: '', SERVICE_TOKEN_FILE: fileWith('both', TOKEN) }).config.serviceToken).toBe(
      TOKEN,
    );
  });

  it('is complained about by variable and path when it cannot be had', () => {
    const missing = join(dir, 'missing');
    mkdirSync(join(dir, 'folder'));
    expect(problemsOf({ SERVICE_TOKEN_FILE: missing })).toEqual([
      `SERVICE_TOKEN_FILE: cannot read ${JSON.stringify(missing)} (ENOENT); set the path of a file that this user can read`,
    ]);
    expect(problemsOf({ SERVICE_TOKEN_FILE: join(dir, 'folder') })[0]).toContain('(EISDIR)');
    const empty = fileWith('empty', ' \n');
    expect(problemsOf({ SERVICE_TOKEN_FILE: empty })).toEqual([
      `SERVICE_TOKEN_FILE: ${JSON.stringify(empty)} is empty; put the value into it`,
    ]);
  });

  it('passes the same checks as in the environment', () => {
    expect(problemsOf({ SERVICE_TOKEN_FILE: fileWith('bad', 'mc_service_acc2_x') })).toEqual([
      expect.stringContaining('minted for another account'),
    ]);
  });
});

describe('no complaint holds a secret', () => {
  const hex = fc.stringMatching(/^[0-9a-f]{16,64}$/);
  /** A service token that is wrong, in every way in which one can be. */
  const badToken = hex.chain((secret) =>
    fc
      .constantFrom(
        secret,
        `mc_service_${secret}`,
        `mc_service_other_${secret}`,
        `mc_service_acc1_${secret} x`,
      )
      .map((token) => ({ secret, token })),
  );

  it('wherever the secret was put by mistake', () => {
    const owners = fc.constantFrom('SERVICE_TOKEN', 'OPENCLAW_GATEWAY_TOKEN');
    const names = fc.constantFrom(
      ...[...settingNotes.keys()],
      'SERVICE_TOKEN_FILE',
      'OPENCLAW_GATEWAY_TOKEN_FILE',
    );
    fc.assert(
      fc.property(badToken, owners, names, ({ secret, token }, owner, name) => {
        // The whole, its secret part alone, and as credentials of an address.
        for (const text of [token, secret, `http://user:${secret}@host`, `http://host/?token=${secret}`]) {
          const problems = problemsOf({ [owner]: token, [name]: text });
          expect(problems).not.toEqual([]);
          expect(problems.join('\n')).not.toContain(secret);
        }
      }),
    );
  });

  it('when it is given twice', () => {
    const problems = problemsOf({
      SERVICE_TOKEN: TOKEN,
      SERVICE_TOKEN_FILE: './x',
      HEALTH_PORT: '0123456789abcdef',
    });
    expect(problems).toHaveLength(2);
    expect(problems.join('\n')).not.toContain('0123456789abcdef');
  });

  it('in a file either', () => {
    fc.assert(
      fc.property(badToken, ({ secret, token }) => {
        const problems = problemsOf({ SERVICE_TOKEN_FILE: fileWith('token', token) });
        expect(problems).toHaveLength(1);
        expect(problems.join('\n')).not.toContain(secret);
      }),
      { numRuns: 30 },
    );
  });
});

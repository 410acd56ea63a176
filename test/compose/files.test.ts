import { execFile } from 'node:child_process';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

const PROFILES = ['local', 'openclaw', 'mock', 'convex', 'monitoring'];

/** Every combination, the empty one as well. */
const COMBINATIONS = Array.from({ length: 2 ** PROFILES.length }, (_, bits) =>
  PROFILES.filter((_profile, n) => (bits >> n) & 1).join(','),
);

test('docker compose config is valid for every combination of profiles', async () => {
  const env = { ...process.env, HEALTH_PORT: '3000', GATEWAY_PORT: '18789', COMPOSE_PROFILES: '' };
  for (const profiles of COMBINATIONS) {
    const { stdout } = await run(
      'docker',
      ['compose', '--env-file', '.env.example', 'config', '--services'],
      {
        cwd: ROOT,
        env: { ...env, COMPOSE_PROFILES: profiles },
      },
    );
    expect(stdout.split('\n')).toContain('runtime');
    expect(stdout.includes('openclaw-gateway')).toBe(profiles.includes('openclaw'));
  }
});

test('as it comes, the Control UI is on 127.0.0.1:18789 and health on 127.0.0.1:3000', async () => {
  const args = ['compose', '--env-file', '.env.example', '--profile', '*', 'config'];
  const { stdout } = await run('docker', args, {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  const published = [...stdout.matchAll(/host_ip: (\S+)\s+target: (\d+)\s+published: "(\d+)"/g)];
  expect(published.map(([, ip, , port]) => `${ip}:${port}`).toSorted()).toEqual([
    '127.0.0.1:18789',
    '127.0.0.1:3000',
    '127.0.0.1:3001',
    '127.0.0.1:3210',
    '127.0.0.1:3220',
    '127.0.0.1:9090',
  ]);
});

test('docker-compose.runtime.yml is the same stack, and a checkout has its own project', async () => {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };
  const compose = async (...args: string[]): Promise<string> =>
    (await run('docker', ['compose', '--env-file', '.env.example', ...args], { cwd: ROOT, env })).stdout;
  const hashes = ['config', '--hash', '*'];
  expect(await compose('--file', 'docker-compose.runtime.yml', ...hashes)).toBe(await compose(...hashes));
  const name = basename(ROOT)
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '');
  expect(await compose('config')).toMatch(new RegExp(`^name: ${name}$`, 'm'));
});

/**
 * Deploys convex/ to the self-hosted Convex and makes the demo account: waits for it, derives the admin key from the
 * instance secret in its data, runs `convex deploy`, seeds the account and its token, and leaves both for the runtime.
 * Runs at every `up`; what is there already stays. Exit codes: 0 done, 1 it could not.
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chownSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { adminKey } from './admin-key.ts';

const {
  CONVEX_DEPLOY_URL = '',
  CONVEX_DATA_DIR = '/convex/data',
  CREDENTIALS_DIR = '/run/secrets',
} = process.env;
const CONVEX_CLI = process.env['CONVEX_CLI'] ?? 'node_modules/convex/bin/main.js';
const WAIT_MS = 120_000;

async function waitForBackend(): Promise<void> {
  const giveUpAt = Date.now() + WAIT_MS;
  while (Date.now() < giveUpAt) {
    const answers = await fetch(`${CONVEX_DEPLOY_URL}/version`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answers) return;
    await sleep(1_000);
  }
  throw new Error(`${CONVEX_DEPLOY_URL} does not answer within ${WAIT_MS / 1_000} s.`);
}

function readCredential(name: string): string {
  const path = join(CONVEX_DATA_DIR, 'credentials', name);
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    throw new Error(
      `${path} cannot be read: is the data of the convex service mounted at ${CONVEX_DATA_DIR}?`,
    );
  }
}

/** @returns what the command prints; its errors go to ours, without the key */
function convex(key: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CONVEX_CLI, ...args], {
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      HOME: '/tmp',
      // Keeps it from asking, and from reporting anything to anybody.
      CI: '1',
      CONVEX_TMPDIR: '/tmp',
      CONVEX_SELF_HOSTED_URL: CONVEX_DEPLOY_URL,
      CONVEX_SELF_HOSTED_ADMIN_KEY: key,
    },
  });
  process.stderr.write(stderr.replaceAll(key, '***'));
  if (status !== 0) throw new Error(`convex ${args[0] ?? ''} failed.`);
  return stdout;
}

/** The secret of the token that is there, so that it stays valid. */
function tokenSecret(): string {
  try {
    const token = readFileSync(join(CREDENTIALS_DIR, 'SERVICE_TOKEN'), 'utf8');
    const kept = /_([0-9a-f]{64})\s*$/.exec(token)?.[1];
    if (kept !== undefined) return kept;
  } catch {
    // The first time.
  }
  return randomBytes(32).toString('hex');
}

function leave(name: string, value: string): void {
  const path = join(CREDENTIALS_DIR, name);
  writeFileSync(`${path}.new`, `${value}\n`, { mode: 0o600 });
  // The directory is the runtime's; this job is root.
  const { uid, gid } = statSync(CREDENTIALS_DIR);
  chownSync(`${path}.new`, uid, gid);
  renameSync(`${path}.new`, path);
}

async function main(): Promise<void> {
  await waitForBackend();
  const key = adminKey(readCredential('instance_name'), readCredential('instance_secret'));
  convex(key, 'deploy', '--yes', '--typecheck', 'disable', '--codegen', 'disable');
  const secret = tokenSecret();
  const serviceTokenHash = createHash('sha256').update(secret).digest('hex');
  const seeded = convex(key, 'run', 'seed:demo', JSON.stringify({ serviceTokenHash }));
  const { accountId } = JSON.parse(seeded) as { accountId: string };
  leave('ACCOUNT_ID', accountId);
  leave('SERVICE_TOKEN', `mc_service_${accountId}_${secret}`);
  process.stdout.write(`convex-deploy: ${CONVEX_DEPLOY_URL} is ready for account ${accountId}\n`);
}

await main().catch((error: unknown) => {
  process.stderr.write(`convex-deploy: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

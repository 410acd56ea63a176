/**
 * Deploys the service's part of convex/ to the self-hosted Convex and makes an account: waits for it, derives the admin
 * key from the instance secret in its data, runs `convex deploy`, makes the account and its token, and leaves both for
 * the runtime. The demo's functions, which act as any person, are not deployed.
 * Runs at every `up`; what is there already stays. Exit codes: 0 done, 1 it could not.
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chownSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { adminKey } from './admin-key.ts';

const {
  CONVEX_DEPLOY_URL = '',
  CONVEX_DATA_DIR = '/convex/data',
  CREDENTIALS_DIR = '/run/secrets',
} = process.env;
const CONVEX_CLI = resolve(process.env['CONVEX_CLI'] ?? 'node_modules/convex/bin/main.js');
const ACCOUNT = { slug: 'local', name: 'Mission Control' };
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

/** A project of its own with convex/, but without the demo's functions and the tests. */
function stageProject(): string {
  const project = mkdtempSync(join(tmpdir(), 'convex-service-'));
  const demo = resolve('convex/demo');
  cpSync('convex', join(project, 'convex'), {
    recursive: true,
    filter: (path) => resolve(path) !== demo && !/\.(test|setup)\.ts$/.test(path),
  });
  cpSync('package.json', join(project, 'package.json'));
  symlinkSync(resolve('node_modules'), join(project, 'node_modules'));
  return project;
}

/** @returns what the command prints; its errors go to ours, without the key */
function convex(project: string, key: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CONVEX_CLI, ...args], {
    cwd: project,
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

/** @returns what the function that makes the account gave, as JSON */
function deploy(key: string, serviceTokenHash: string): string {
  const project = stageProject();
  try {
    convex(project, key, 'deploy', '--yes', '--typecheck', 'disable', '--codegen', 'disable');
    const account = JSON.stringify({ ...ACCOUNT, serviceTokenHash });
    return convex(project, key, 'run', 'accounts:provision', account);
  } finally {
    rmSync(project, { recursive: true });
  }
}

async function main(): Promise<void> {
  await waitForBackend();
  const key = adminKey(readCredential('instance_name'), readCredential('instance_secret'));
  const secret = tokenSecret();
  const serviceTokenHash = createHash('sha256').update(secret).digest('hex');
  const { accountId } = JSON.parse(deploy(key, serviceTokenHash)) as { accountId: string };
  leave('ACCOUNT_ID', accountId);
  leave('SERVICE_TOKEN', `mc_service_${accountId}_${secret}`);
  process.stdout.write(`convex-deploy: ${CONVEX_DEPLOY_URL} is ready for account ${accountId}\n`);
}

await main().catch((error: unknown) => {
  process.stderr.write(`convex-deploy: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

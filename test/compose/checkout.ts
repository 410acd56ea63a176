/** What the stacks of the tests have in common. */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { createDemoClient, type DemoClient } from '../../src/local/client.ts';
import type { HealthReport } from '../../src/health/report.ts';

const run = promisify(execFile);

export type Docker = (...args: string[]) => Promise<string>;

/** `docker` in that directory; what it says on standard output. */
export const dockerIn =
  (root: string, env: NodeJS.ProcessEnv = process.env): Docker =>
  async (...args) =>
    (await run('docker', args, { cwd: root, env, maxBuffer: 2 ** 26 })).stdout.trim();

/** Stops all of a checkout's stack and removes both. */
export async function removeStack(root: string, docker: Docker): Promise<void> {
  await docker(...['compose', '--profile', '*', 'down', '--volumes', '--remove-orphans', '--timeout', '2']);
  // The data belongs to the containers' user.
  const remove = ['node:24-bookworm-slim', 'rm', '-rf', '/checkout/.runtime'];
  await docker('run', '--rm', '--volume', `${root}:/checkout`, ...remove);
  rmSync(root, { recursive: true });
}

/** Mission Control with a person in front of it, once the backend is up. */
export async function personAt(backendPort: number, docker: Docker): Promise<DemoClient> {
  const read = (name: string) => docker('compose', 'exec', '-T', 'backend', 'cat', `/data/${name}`);
  return createDemoClient({
    convexUrl: `http://127.0.0.1:${backendPort}`,
    accountId: await read('ACCOUNT_ID'),
    serviceToken: await read('SERVICE_TOKEN'),
    personToken: await read('PERSON_TOKEN'),
  });
}

/** null when nothing answers. */
export async function readHealth(port: number): Promise<HealthReport | null> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/health`);
    return (await answer.json()) as HealthReport;
  } catch {
    return null;
  }
}

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../../test/kits/runtime.ts';
import { createStandIn, leaveCredentials } from '../../test/kits/convex-image.ts';

/** A Convex for one test. @param refuses the call that it does not want */
async function standIn(refuses?: string) {
  const { server, calls } = createStandIn(refuses);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return { url: `http://127.0.0.1:${port}`, calls };
}

/** The job on the data of that Convex. @returns its end, and what it leaves for the runtime */
async function runJob(url: string, out = temporaryDirectory()) {
  const data = temporaryDirectory();
  leaveCredentials(data);
  const job = spawn(process.execPath, [join(import.meta.dirname, 'deploy.ts')], {
    env: { PATH: process.env.PATH, CONVEX_DEPLOY_URL: url, CONVEX_DATA_DIR: data, CREDENTIALS_DIR: out },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = once(job, 'exit');
  const said = (await Promise.all([text(job.stdout), text(job.stderr)])).join('');
  expect(said).not.toContain('stand-in|');
  const [code] = (await exit) as [number | null];
  const left = Object.fromEntries(
    readdirSync(out).map((name) => [name, readFileSync(join(out, name), 'utf8')]),
  );
  return { code, said, out, left };
}

test('the job derives a key that opens, deploys convex/ with it, seeds the account and leaves its token', async () => {
  const { url, calls } = await standIn();
  const first = await runJob(url);
  expect(first).toMatchObject({
    code: 0,
    said: expect.stringContaining('is ready for account account1') as string,
  });
  const push = calls.find(({ url: path }) => path === '/api/deploy2/start_push');
  for (const name of ['service/actions.js', 'accounts.js', 'schema']) expect(push?.body).toContain(name);
  expect(push?.body).not.toContain('"demo/');

  const secret = /^mc_service_account1_([0-9a-f]{64})\n$/.exec(first.left['SERVICE_TOKEN'] ?? '')?.[1] ?? '';
  expect(first.left).toEqual({ ACCOUNT_ID: 'account1\n', SERVICE_TOKEN: `mc_service_account1_${secret}\n` });
  for (const name of Object.keys(first.left))
    expect(statSync(join(first.out, name)).mode & 0o777).toBe(0o600);
  // Mission Control has the hash alone.
  const seed = calls.find(({ url: path }) => path === '/api/function');
  expect(JSON.parse(seed?.body ?? '')).toMatchObject({
    path: 'accounts:provision',
    args: { serviceTokenHash: createHash('sha256').update(secret).digest('hex') },
  });
  expect(calls.some(({ body }) => body.includes(secret))).toBe(false);
  expect(first.said).not.toContain(secret);

  // At the next start the token stays what it is.
  expect((await runJob(url, first.out)).left).toEqual(first.left);
});

test('a Convex that does not take the bundle: the job says so and leaves no half of an account', async () => {
  const { url, calls } = await standIn('/api/deploy2/start_push');
  const { code, said, left } = await runJob(url);
  expect({ code, left }).toEqual({ code: 1, left: {} });
  expect(said).toContain('convex-deploy: convex deploy failed.');
  expect(calls.some(({ url: path }) => path === '/api/function')).toBe(false);
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../../../test/kits/runtime.ts';
import { until } from '../../../test/kits/until.ts';
import { parseReady } from './ready.ts';
import { startBackend } from './spawn.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

function run(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env } });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return { child, exit: once(child, 'exit'), stderr: text(child.stderr) };
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with 0', async (signal) => {
  const { child, exit, stderr } = run([]);
  const [chunk] = (await once(child.stdout.setEncoding('utf8'), 'data')) as unknown[];
  const { url, serviceToken } = parseReady(String(chunk));
  expect((await fetch(`${url}/version`)).status).toBe(200);
  child.kill(signal);
  expect(await exit).toEqual([0, null]);
  expect(await stderr).toContain('they are gone when this process ends');
  expect(await stderr).not.toContain(serviceToken);
});

test.each([
  [['--port', 'x'], {}, '--port (or LOCAL_BACKEND_PORT) must be a whole number from 0 to 65535.'],
  [
    [],
    { LOCAL_BACKEND_PORT: '70000' },
    '--port (or LOCAL_BACKEND_PORT) must be a whole number from 0 to 65535.',
  ],
  [['--extra-tasks', '-1'], {}, 'argument is ambiguous'],
  [['--nope'], {}, "Unknown option '--nope'"],
  [[], { LOCAL_SERVICE_SECRET: 'XYZ' }, 'LOCAL_SERVICE_SECRET must be 64 lower-case hex digits'],
])('a wrong setting ends it with 78: %j %j', async (args, env, message) => {
  const { exit, stderr } = run(args, env);
  expect(await exit).toEqual([78, null]);
  expect(await stderr).toContain(message);
});

test('a port that is taken ends it with 71, and the starter says so', async () => {
  const backend = await startBackend();
  onTestFinished(() => backend.close());
  const port = Number(new URL(backend.url).port);
  await expect(startBackend({ port })).rejects.toThrow(
    new RegExp(`did not start.*Port ${port} is taken.*LOCAL_BACKEND_PORT`),
  );
  const { exit } = run(['--port', String(port)]);
  expect(await exit).toEqual([71, null]);
});

test('it ends when the process that started it does', async () => {
  const { child, exit } = run(['--exit-with-stdin']);
  await once(child.stdout, 'data');
  child.stdin.end();
  expect(await exit).toEqual([0, null]);
});

test('a call that hangs does not hold it up', async () => {
  const backend = await startBackend({ faults: true });
  await fetch(`${backend.url}/__faults`, {
    method: 'POST',
    body: '{"mode":"hang"}',
    headers: { 'Content-Type': 'application/json' },
  });
  const hanging = fetch(`${backend.url}/api/action`, {
    method: 'POST',
    body: '{"path":"a:b","args":[{}]}',
    headers: { 'Content-Type': 'application/json' },
  });
  const lost = expect(hanging).rejects.toThrow('fetch failed');
  // The call has arrived when a later one on another connection was answered.
  await fetch(`${backend.url}/version`);
  await backend.close();
  await lost;
});

test('with a directory for them, the id and the token go there alone, and the token stays', async () => {
  const dir = temporaryDirectory();
  const env = { LOCAL_CREDENTIALS_DIR: dir, DEV_DIR: dir, LOCAL_DATA_DIR: join(dir, 'data') };
  const read = (name: string): string => readFileSync(join(dir, name), 'utf8').trim();

  const first = run([], env);
  await until('The token is there', () => existsSync(join(dir, 'dev.json')));
  const token = read('SERVICE_TOKEN');
  expect(token).toMatch(new RegExp(`^mc_service_${read('ACCOUNT_ID')}_[0-9a-f]{64}$`));
  expect(statSync(join(dir, 'SERVICE_TOKEN')).mode & 0o777).toBe(0o600);
  first.child.kill('SIGTERM');
  await first.exit;
  expect(await text(first.child.stdout)).toBe('');
  expect(await first.stderr).not.toContain(token);

  rmSync(join(dir, 'dev.json'));
  run([], env);
  await until('The next one is up', () => existsSync(join(dir, 'dev.json')));
  expect(read('SERVICE_TOKEN')).toBe(token);
});

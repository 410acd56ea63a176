import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../src/local/free-port.ts';
import { startRuntime, temporaryDirectory } from '../kits/runtime.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/status.ts');

const start = (args: readonly string[], env: Record<string, string> = {}) =>
  spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env.PATH, DEV_DIR: temporaryDirectory(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** Runs `npm run status` to its end. */
async function status(args: readonly string[], env?: Record<string, string>) {
  const child = start(args, env);
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { out, err, code };
}

test('shows the machines of a runtime as a tree, in colour if wanted, or its report as JSON', async () => {
  const [backend, gateway] = [await missionControl(), await echoGateway()];
  const runtime = await startRuntime({ backend, gateway });
  await runtime.waitForHealth('that all is well', (health) => health.status === 'healthy');

  const plain = await status(['--url', runtime.url]);
  expect(plain).toMatchObject({ err: '', code: 0 });
  expect(plain.out).toMatch(/^● healthy {2}All is well\.$/m);
  expect(plain.out).toMatch(/^supervisor +running/m);
  for (const id of ['gateway', 'delivery', 'statusReporter', 'upgrade', 'agentSync', 'heartbeat:engineer']) {
    expect(plain.out).toMatch(new RegExp(`^[├└]─ ${id} +[a-z]`, 'm'));
  }
  expect(stripVTControlCharacters(plain.out)).toBe(plain.out);

  const coloured = await status(['--url', runtime.url], { FORCE_COLOR: '1' });
  expect(coloured.out).toContain('\u001b[32m● healthy\u001b[39m');

  const json = await status(['--url', runtime.url, '--json']);
  expect(JSON.parse(json.out)).toMatchObject({ status: 'healthy' });
});

test('--watch looks again and again, also while nothing answers', async () => {
  const runtime = await startRuntime({ backend: await missionControl() });
  const child = start(['--watch', '--url', runtime.url]);
  onTestFinished(() => void child.kill());
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (more: string) => (out += more));
  child.stderr.setEncoding('utf8').on('data', (more: string) => (err += more));
  await until('Two looks are printed', () => out.split('supervisor').length > 2);
  runtime.kill('SIGKILL');
  await until('It says that nothing answers', () => err.includes(`Nothing answers on ${runtime.url}/health`));
  expect(child.exitCode).toBe(null);
});

test('says what to do when nothing answers, when something else does, and when the address is wrong', async () => {
  const nowhere = `http://127.0.0.1:${await freePort()}`;
  expect(await status(['--url', nowhere])).toEqual({
    out: '',
    err: `Nothing answers on ${nowhere}/health: is the runtime running? Start it with npm run dev or npm start, or name another address with --url.\n`,
    code: 1,
  });

  const other = createServer((_, response) => response.end('<html>hello</html>'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const answer = await status([], { HEALTH_PORT: String(port) });
  expect(answer).toMatchObject({ out: '', code: 1 });
  expect(answer.err).toBe(
    `http://127.0.0.1:${port}/health answers, but not with a health report: is that the runtime's health port?\n`,
  );

  expect((await status(['--url', 'localhost:3000'])).err).toContain('is not an http address');
  expect((await status(['--wach'])).code).toBe(1);
});

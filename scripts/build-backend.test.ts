/** The bundle that the image of the local Mission Control holds: it starts away from the sources, and answers. */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../test/kits/until.ts';

const ROOT = join(import.meta.dirname, '..');

test('the bundle of the local Mission Control finds its functions and answers', async () => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build-backend.ts')]);
  const image = mkdtempSync(join(tmpdir(), 'backend-image-'));
  cpSync(join(ROOT, 'dist/backend'), image, { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(image, 'package.json'));
  const child = spawn(process.execPath, ['src/local/mission-control/main.js'], {
    cwd: image,
    env: { PATH: process.env['PATH'], LOCAL_BACKEND_PORT: '0', LOCAL_BACKEND_DATA: join(image, 'data') },
  });
  const gone = new Promise((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    child.kill();
    await gone;
    rmSync(image, { recursive: true });
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (more: Buffer) => (said += String(more)));
  const [, url = ''] = await until('It listens', () => {
    if (child.exitCode !== null) throw new Error(`It ended: ${said}`);
    return /(http:\/\/[\d.]+:\d+)/.exec(said);
  });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { brotliDecompressSync } from 'node:zlib';
import { gcmsiv } from '@noble/ciphers/aes.js';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../../test/support/runtime.ts';
import { sealingKey } from './admin-key.ts';

const SECRET = '07'.repeat(32);

/** Opens a key as the backend does. @throws Error when it was not made with the secret */
function openKey(authorization: string | undefined): void {
  const sealed = Buffer.from(/^Convex stand-in\|([0-9a-f]{74})$/.exec(authorization ?? '')?.[1] ?? '', 'hex');
  gcmsiv(sealingKey(SECRET), sealed.subarray(1, 13), sealed.subarray(0, 1)).decrypt(sealed.subarray(13));
}

/** The first steps of a self-hosted Convex: it opens the key, takes the bundle, and then wants no more. */
async function standIn() {
  const calls: { url: string; body: string }[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((raw) => {
      const url = request.url ?? '';
      if (url === '/version') return response.end('stand-in');
      openKey(request.headers.authorization);
      const isBrotli = request.headers['content-encoding'] === 'br';
      calls.push({ url, body: (isBrotli ? brotliDecompressSync(raw) : raw).toString() });
      const isFirst = url === '/api/get_config_hashes';
      response.writeHead(isFirst ? 200 : 400, { 'content-type': 'application/json' });
      const config = { functions: 'convex/', authInfo: [] };
      return response.end(
        JSON.stringify(
          isFirst
            ? { config, moduleHashes: [], udfServerVersion: '1.48.0', nodeDependencies: [] }
            : { code: 'StandIn', message: 'no further' },
        ),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return { url: `http://127.0.0.1:${port}`, calls };
}

test('the job derives a key that opens, and convex deploy sends the bundle of convex/ with it', async () => {
  const { url, calls } = await standIn();
  const data = temporaryDirectory();
  const out = temporaryDirectory();
  mkdirSync(join(data, 'credentials'));
  writeFileSync(join(data, 'credentials/instance_name'), 'stand-in');
  writeFileSync(join(data, 'credentials/instance_secret'), SECRET);
  const job = spawn(process.execPath, [join(import.meta.dirname, 'deploy.ts')], {
    env: { PATH: process.env.PATH, CONVEX_DEPLOY_URL: url, CONVEX_DATA_DIR: data, CREDENTIALS_DIR: out },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exit = once(job, 'exit');
  const said = await text(job.stderr);
  expect(await exit).toEqual([1, null]);
  // The stand-in stops there: the job says so, leaves no half of an account, and shows no key.
  expect(said).toContain('convex-deploy: convex deploy failed.');
  expect(said).not.toContain('stand-in|');
  expect(readdirSync(out)).toEqual([]);
  const push = calls.find(({ url: path }) => path.startsWith('/api/deploy2/'));
  for (const name of ['service/actions.js', 'seed.js', 'schema']) expect(push?.body).toContain(name);
});

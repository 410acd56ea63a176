/** `npx convex import`, the real command, with our export: what it sends to a deployment. The deployment is a stand-in. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { temporaryDirectory } from '../../../test/kits/runtime.ts';
import { missionControl } from '../../../test/kits/stack.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** The part of a deployment that imports: it takes the upload, asks for a word, and says that it is done. */
async function standIn() {
  const parts: Buffer[] = [];
  const calls: string[] = [];
  let state: object = {
    state: 'waiting_for_confirmation',
    message_to_confirm: 'All of it?',
    require_manual_confirmation: false,
  };
  const answers: Record<string, (body: Buffer) => unknown> = {
    // Is an earlier import still under way?
    '/api/query': () => ({ status: 'success', value: [], logLines: [] }),
    '/api/import/start_upload': () => ({ uploadToken: 'token' }),
    '/api/import/upload_part': (body) => `part ${parts.push(body)}`,
    '/api/import/finish_upload': (body) => {
      calls.push(body.toString('utf8'));
      return { importId: 'import1' };
    },
    '/api/perform_import': () => {
      state = { state: 'completed', num_rows_written: 7 };
      return null;
    },
  };
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const answer = answers[(request.url ?? '').split('?', 1)[0] ?? ''];
      response.writeHead(answer ? 200 : 404, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(answer?.(body) ?? null));
    });
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    let version = { querySet: 0, ts: Buffer.alloc(8).toString('base64'), identity: 0 };
    const move = (to: Partial<typeof version>, modifications: object[]): void => {
      const startVersion = version;
      version = { ...version, ...to };
      socket.send(JSON.stringify({ type: 'Transition', startVersion, endVersion: version, modifications }));
    };
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as {
        type: string;
        baseVersion: number;
        newVersion: number;
        modifications: { queryId: number }[];
      };
      if (message.type === 'Authenticate') move({ identity: message.baseVersion + 1 }, []);
      if (message.type !== 'ModifyQuerySet') return;
      const told = { type: 'QueryUpdated', value: { state }, logLines: [], journal: null };
      move(
        { querySet: message.newVersion },
        message.modifications.map(({ queryId }) => ({ ...told, queryId })),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    sockets.close();
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, calls, uploaded: () => Buffer.concat(parts) };
}

test('npx convex import takes the export for what it is and sends it as it is', async () => {
  const dataDir = temporaryDirectory();
  const backend = await missionControl({ dataDir });
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer hello');
  const file = join(temporaryDirectory(), 'export.zip');
  const exported = spawnSync(
    process.execPath,
    [join(ROOT, 'src/cli/local.ts'), 'export', file, '--data', dataDir, '--url', backend.url],
    { encoding: 'utf8' },
  );
  expect(exported).toMatchObject({ status: 0, stderr: '' });

  const { url, calls, uploaded } = await standIn();
  const command = spawn(
    process.execPath,
    [join(ROOT, 'node_modules/convex/bin/main.js'), 'import', '--replace-all', '--yes', file],
    {
      env: {
        PATH: process.env.PATH,
        CI: '1',
        CONVEX_SELF_HOSTED_URL: url,
        CONVEX_SELF_HOSTED_ADMIN_KEY: 'local|key',
      },
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const exit = once(command, 'exit') as Promise<[number | null]>;
  const [out, err] = await Promise.all([text(command.stdout), text(command.stderr)]);
  expect(await exit, `${out}${err}`).toEqual([0, null]);
  expect(`${out}${err}`).toContain('Added 7 documents');
  expect(uploaded().equals(readFileSync(file))).toBe(true);
  expect(calls.map((call) => JSON.parse(call) as unknown)).toEqual([
    { import: { mode: 'replaceAll', format: 'zip' }, uploadToken: 'token', partTokens: ['part 1'] },
  ]);
});

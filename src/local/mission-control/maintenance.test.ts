import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../../../test/kits/runtime.ts';
import { createDemoClient, type DemoClient } from '../client.ts';
import { startBackend, type Backend } from './spawn.ts';

async function start(dataDir: string): Promise<Backend & DemoClient> {
  const backend = await startBackend({ dataDir });
  onTestFinished(() => backend.close());
  return { ...backend, ...createDemoClient({ ...backend, convexUrl: backend.url }) };
}

/** `npm run local -- ...`, to its end. */
async function local(dataDir: string, ...args: string[]) {
  const main = join(import.meta.dirname, '../../cli/local.ts');
  const child = spawn(process.execPath, [main, '--data', dataDir, ...args], {
    env: { PATH: process.env.PATH, DEV_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { out, err, code };
}

/** What a person sees: tasks and their threads, with all ids. */
async function everything(backend: Backend & DemoClient) {
  const threads = await Promise.all(backend.taskIds.map((id) => backend.listThread(id)));
  const tasks = await backend.call('demo/actions:listTasks', {});
  return { account: backend.accountId, agents: await backend.listAgents(), tasks, threads };
}

async function withMessages(dataDir: string): Promise<Backend & DemoClient> {
  const backend = await start(dataDir);
  for (const id of backend.taskIds) await backend.postMessage(id, `@engineer about ${id}`);
  return backend;
}

test.each(['backup', 'export'])(
  'a %s of running data, restored elsewhere, holds all of it with its ids',
  async (command) => {
    const [dataDir, other] = [temporaryDirectory(), temporaryDirectory()];
    const backend = await withMessages(dataDir);
    const file = join(other, 'copy');
    expect(await local(dataDir, command, file, '--url', backend.url)).toEqual({
      code: 0,
      out: `All data are in ${file}.\n`,
      err: '',
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const restored = join(other, 'data');
    expect(await local(restored, 'restore', file)).toMatchObject({ code: 0, err: '' });
    expect(await everything(await start(restored))).toEqual(await everything(backend));
  },
);

test('an export is the ZIP that convex import takes: a table a folder, one document a line, and the tables’ numbers', async () => {
  const dataDir = temporaryDirectory();
  const backend = await withMessages(dataDir);
  await backend.close();
  const file = join(dataDir, 'export.zip');
  expect((await local(dataDir, 'export', file)).code).toBe(0);
  const files = unzipSync(readFileSync(file));
  const lines = (name: string) =>
    strFromU8(files[name] ?? new Uint8Array())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines('_tables/documents.jsonl')[0]).toEqual({ name: 'accounts', id: 10_001 });
  expect(lines('tasks/documents.jsonl').map(({ _id }) => _id)).toEqual(backend.taskIds);
  expect(lines('messages/documents.jsonl')[0]).toMatchObject({ _creationTime: expect.any(Number) as number });
});

test('restore keeps what was there, and refuses what is no copy or does not fit, and then changes nothing', async () => {
  const dataDir = temporaryDirectory();
  const backend = await withMessages(dataDir);
  await backend.close();
  const file = join(dataDir, 'export.zip');
  await local(dataDir, 'export', file);
  const files = unzipSync(readFileSync(file));
  const broken = { ...files, 'tasks/documents.jsonl': strToU8('{"_id":"x","_creationTime":1}\n') };
  writeFileSync(join(dataDir, 'broken.zip'), zipSync(broken));
  writeFileSync(join(dataDir, 'garbage'), 'garbage');
  expect(await local(dataDir, 'restore', join(dataDir, 'broken.zip'))).toMatchObject({
    code: 1,
    err: 'tasks/documents.jsonl, line 1 has no _id or no _creationTime.\n',
  });
  expect((await local(dataDir, 'restore', join(dataDir, 'garbage'))).err).toContain(
    'is neither a backup nor an export',
  );
  const again = await start(dataDir);
  expect((await again.listThread(again.taskIds[0] ?? '')).length).toBe(1);
  expect((await local(dataDir, 'restore', file)).err).toContain(
    'another process has it open; stop that one first',
  );
  await again.close();
  expect((await local(dataDir, 'restore', file)).out).toContain('The earlier ones are in ');
  expect(readdirSync(dataDir).filter((name) => name.includes('.before-'))).toHaveLength(1);
});

test('a damaged file is named with what to do, and restore mends it', async () => {
  const dataDir = temporaryDirectory();
  const backend = await withMessages(dataDir);
  const file = join(dataDir, 'backup');
  await local(dataDir, 'backup', file, '--url', backend.url);
  const before = await everything(backend);
  await backend.close();
  writeFileSync(join(dataDir, 'data.sqlite'), 'garbage '.repeat(500));
  await expect(startBackend({ dataDir })).rejects.toThrow('restore a backup (npm run local -- restore FILE)');
  expect((await local(dataDir, 'restore', file)).code).toBe(0);
  expect(await everything(await start(dataDir))).toEqual(before);
});

test('reset needs a word, the admin key, and a stopped Mission Control', async () => {
  const dataDir = temporaryDirectory();
  const backend = await withMessages(dataDir);
  expect((await local(dataDir, 'reset')).err).toContain('reset --yes');
  expect((await local(dataDir, 'reset', '--yes')).err).toContain('stop that one first');
  await backend.close();
  expect((await local(temporaryDirectory(), 'reset', '--yes')).err).toContain('A reset needs the admin key');
  expect((await local(dataDir, 'reset', '--yes')).code).toBe(0);
  expect((await start(dataDir)).accountId).not.toBe(backend.accountId);
});

test('a place that cannot be written, and a file that is not there, are named, and nothing is left', async () => {
  const dataDir = temporaryDirectory();
  const backend = await withMessages(dataDir);
  const place = temporaryDirectory();
  expect((await local(dataDir, 'backup', place, '--url', backend.url)).err).toBe(
    `${place} cannot be written (EISDIR): name a file in a directory that is there.\n`,
  );
  expect(existsSync(`${place}.new`)).toBe(false);
  const lost = join(place, 'no', 'file');
  expect((await local(dataDir, 'backup', lost, '--url', backend.url)).err).toContain(
    'cannot be written (ENOENT)',
  );
  expect((await local(dataDir, 'restore', lost)).err).toBe(
    `${lost} cannot be read (ENOENT): name a backup or an export.\n`,
  );
  expect((await local(dataDir, 'backup', 'a', 'b')).err).toContain('"b" is too much');
  expect((await local(dataDir, 'export', 'a', '--url', 'nope')).err).toContain('--url: "nope" is no address');
});

test('a command that is not there, and one without its file, are told what to say', async () => {
  const dataDir = temporaryDirectory();
  expect((await local(dataDir, 'nope')).err).toContain('There is no command "nope"');
  expect((await local(dataDir, 'backup')).err).toBe('Which file? Say "npm run local -- backup FILE".\n');
  expect((await local(dataDir, 'backup', 'x', '--url', 'http://127.0.0.1:1')).err).toContain(
    'There are no data in',
  );
  rmSync(dataDir, { recursive: true });
});

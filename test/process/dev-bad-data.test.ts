/** When its data or its functions cannot be used, `npm run dev` says what is wrong and what to do. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { say, startDev } from '../kits/dev.ts';
import { temporaryDirectory } from '../kits/runtime.ts';
import { until } from '../kits/until.ts';
import { needsPrlimit, setDiskFull } from '../faults/full-disk.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What the backend says before it gives up, and what dev makes of that. */
async function refusal(directory: string, root?: string): Promise<string> {
  const dev = startDev(directory, {}, root);
  expect(await dev.exited).toBe(1);
  expect(dev.output()).toMatch(
    /^backend +│ .*\ndev +│ The local backend did not start\. Its lines above say why, and what to do\.\n$/,
  );
  return dev.output();
}

/** A checkout with functions of its own. */
function checkoutWith(schema: string): string {
  const root = temporaryDirectory();
  for (const folder of ['src', 'machines', 'convex']) {
    cpSync(join(ROOT, folder), join(root, folder), { recursive: true });
  }
  cpSync(join(ROOT, 'package.json'), join(root, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  writeFileSync(join(root, 'convex/schema.ts'), schema);
  return root;
}

test('a file that is no database is named and left as it is, and npm run dev says what to do', async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'dev-data/data.sqlite');
  mkdirSync(join(directory, 'dev-data'));
  writeFileSync(file, 'garbage '.repeat(500));
  expect(await refusal(directory)).toMatch(
    /^backend +│ The database .*data\.sqlite cannot be used: it is not a database; move it away, or restore a backup \(npm run local -- restore FILE\)\.$/m,
  );
  expect(readFileSync(file, 'utf8')).toBe('garbage '.repeat(500));
});

test('a second npm run dev on the same data says so, and the first goes on', async () => {
  const directory = temporaryDirectory();
  const first = startDev(directory);
  await until('It says what to try', () => first.output().includes('Try next'));
  expect(await refusal(directory)).toMatch(
    /^backend +│ The database .* cannot be used: another process has it open; stop that one first\.$/m,
  );
  expect(await say(directory, '@engineer still there')).toMatchObject({ code: 0, err: '' });
});

test.each([
  [
    'that throws',
    "throw new Error('no schema today');",
    /^backend +│ convex\/\S+ cannot be loaded: no schema today\. Correct it, and start again\.$/m,
  ],
  [
    'that is no TypeScript',
    'export default {{;',
    /^backend +│ convex\/\S+ cannot be loaded: .*\. Correct it, and start again\.$/m,
  ],
  [
    'that is no schema',
    'export default 7;',
    /^backend +│ schema\.ts has no default export made by defineSchema\(\)\.$/m,
  ],
])('a schema.ts %s: one sentence with its name', async (_name, schema, words) => {
  expect(await refusal(temporaryDirectory(), checkoutWith(schema))).toMatch(words);
});

test('a full disk: npm run dev and npm run say tell of it, what was written stays, and new space is enough', async (context) => {
  needsPrlimit(context);
  const directory = temporaryDirectory();
  const dev = startDev(directory);
  await until('It says what to try', () => dev.output().includes('Try next'));
  expect(await say(directory, '@engineer before')).toMatchObject({ code: 0 });
  const children = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(dev.pid)], { encoding: 'utf8' });
  const pid = Number.parseInt(
    children.split('\n').find((line) => line.includes('mission-control/main')) ?? '',
    10,
  );
  setDiskFull(pid, true);
  const refused = await say(directory, `@engineer ${'x'.repeat(90_000)}`);
  expect(refused.code).toBe(1);
  expect(refused.err).toMatch(/Mission Control cannot write: the disk .*Nothing of this call was kept/);
  await until('dev says so', () => /^backend +│ Mission Control cannot write: the disk /m.test(dev.output()));
  setDiskFull(pid, false);
  expect(await say(directory, '@engineer after')).toMatchObject({ code: 0 });
  expect(dev.output()).toMatch(/^backend +│ Mission Control can write again\.$/m);
});

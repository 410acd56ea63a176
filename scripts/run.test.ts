/** What somebody reads who has not run `npm ci`, or whose Node is too old. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const bare = mkdtempSync(join(tmpdir(), 'bare-checkout-'));
afterAll(() => rmSync(bare, { recursive: true }));

mkdirSync(join(bare, 'scripts'));
writeFileSync(join(bare, 'package.json'), '{"type":"module"}');
copyFileSync(join(import.meta.dirname, 'run.js'), join(bare, 'scripts/run.js'));
copyFileSync(join(import.meta.dirname, 'bundle/entry.js'), join(bare, 'main.mjs'));
writeFileSync(join(bare, 'hello.ts'), 'console.log("hello" as string, process.argv.slice(2).join());\n');

/** The oldest Node on this machine's path that is too old; null where there is none. */
function oldNode(): string | null {
  const found = execFileSync('sh', ['-c', 'which -a node || true'], { encoding: 'utf8' }).trim().split('\n');
  const major = (node: string): number =>
    Number(execFileSync(node, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' }));
  return found.find((node) => node !== '' && major(node) < 24) ?? null;
}

const run = (node: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(node, args, { cwd: bare, encoding: 'utf8' });
  return { status, stdout, stderr };
};

test('without npm ci: one sentence', () => {
  expect(run(process.execPath, 'scripts/run.js', 'hello.ts')).toEqual({
    status: 1,
    stdout: '',
    stderr: 'The dependencies are missing: run `npm ci` first.\n',
  });
});

test('with it: the file runs with its own arguments', () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, 'run.js'), join(bare, 'hello.ts'), '--a', 'b'],
    { encoding: 'utf8' },
  );
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'hello --a,b\n' });
});

const old = oldNode();

describe.runIf(old !== null)('on an old Node', () => {
  test('a script: one sentence that says which Node is needed and how to get it', () => {
    const { status, stdout, stderr } = run(old ?? '', 'scripts/run.js', 'hello.ts');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^This needs Node 24, and "node" is [\d.]+ here\. Run `npm ci` first: .*\n$/);
  });

  test('the built runtime: the same, and exit 78', () => {
    const { status, stdout, stderr } = run(old ?? '', 'main.mjs', '--help');
    expect({ status, stdout }).toEqual({ status: 78, stdout: '' });
    expect(stderr).toMatch(
      /^The runtime needs Node 24, and this is Node [\d.]+: start it with npm start .*\n$/,
    );
  });
});

test('every npm script that runs a TypeScript file goes through it', () => {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const { scripts } = manifest as { scripts: Record<string, string> };
  // Those for developers come after npm ci in any case.
  const direct = Object.entries(scripts).filter(([, line]) => /node (?!scripts\/run\.js)\S+\.ts/.test(line));
  expect(direct.map(([name]) => name).sort()).toEqual(['codegen', 'lint']);
});

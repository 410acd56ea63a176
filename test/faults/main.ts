/** `npm run faults`: each fault as a named, repeatable case with PASS or FAIL and a figure. */
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startVitest, type Reporter, type TestCase } from 'vitest/node';
import { VARIABLE } from './backend-kind.ts';
import { CASES } from './registry.ts';

const USAGE = `npm run faults -- [name...] [--backend plain|extended] [--list]

Runs the built runtime against every fault that it must bear, one after another, and prints one line for each:
PASS, FAIL or SKIP, its name, its length, and a figure. Exits with 1 when one fails.

  name     only these; part of a name will do
  --backend plain     against the service contract alone (the default)
  --backend extended  with what docs/contract-extensions.md adds to it
  --list   print the names and what each does, and run nothing`;

const ROOT = join(import.meta.dirname, '../..');

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean' },
      backend: { type: 'string', default: 'plain' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const { backend } = values;
  if (backend !== 'plain' && backend !== 'extended') {
    return tell(`--backend is plain or extended, not "${backend}".`, 1);
  }
  if (values.help === true) return tell(USAGE);
  const unknown = positionals.find((part) => !CASES.some(({ name }) => name.includes(part)));
  if (unknown !== undefined) return tell(`No fault is called "${unknown}": --list prints all names.`, 1);
  const chosen = CASES.filter(({ contractOnly }) => backend === 'plain' || contractOnly !== true).filter(
    ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
  );
  if (values.list === true) {
    return tell(chosen.map(({ name, what }) => `${name.padEnd(NAME_WIDTH)} ${what}`).join('\n'));
  }
  tell(`${machine()}, ${backend} backend`);
  process.env[VARIABLE] = backend;
  return run(chosen.map(({ name }) => name));
}

const NAME_WIDTH = Math.max(...CASES.map(({ name }) => name.length));

const machine = (): string =>
  `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${process.platform} ${process.arch}, Node ${process.versions.node}`;

async function run(names: readonly string[]): Promise<number> {
  const began = performance.now();
  const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
  const reporter: Reporter = {
    onTestCaseResult(test) {
      if (!names.includes(test.name)) return;
      counts[test.result().state] += 1;
      tell(lineOf(test));
    },
  };
  const vitest = await startVitest([], {
    root: ROOT,
    config: 'test/faults/vitest.config.ts',
    testNamePattern: new RegExp(`^(?:${names.join('|')})$`),
    reporters: [reporter],
    watch: false,
  });
  const stray = vitest.state.getUnhandledErrors();
  for (const error of stray) tell(String(error));
  await vitest.close();
  const { passed, failed, skipped } = counts;
  const took = Math.round((performance.now() - began) / 1_000);
  tell(`${passed} passed, ${failed} failed, ${skipped} skipped in ${took} s`);
  return passed + skipped === names.length && stray.length === 0 ? 0 : 1;
}

const WORDS = { passed: 'PASS', failed: 'FAIL', skipped: 'SKIP', pending: 'FAIL' } as const;

function lineOf(test: TestCase): string {
  const result = test.result();
  const seconds = ((test.diagnostic()?.duration ?? 0) / 1_000).toFixed(1).padStart(6);
  const note = result.state === 'skipped' ? result.note : result.errors?.[0]?.message;
  const figure = (note ?? test.meta().figure ?? '').split('\n')[0] ?? '';
  return `${WORDS[result.state]} ${test.name.padEnd(NAME_WIDTH)} ${seconds} s  ${figure}`;
}

function tell(text: string, exitCode = 0): number {
  (exitCode === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  return exitCode;
}

process.exitCode = await main().catch((error: unknown) =>
  tell(error instanceof Error ? error.message : String(error), 1),
);

/** `npm run bench`: see --help. A goal that is missed is a figure like any other: exit code 0. */
import { parseArgs } from 'node:util';
import { figureLine, type Figure } from './figure.ts';
import { machineLine, readMachine } from './machine.ts';
import { BENCHMARKS } from './registry.ts';
import type { Benchmark } from './benchmark.ts';

const HELP = `npm run bench -- [name...] [--list] [--json] [--full]

Measures the built runtime, a backend with the service contract in memory and an echo gateway, each a process of its
own, on loopback. Prints the machine, then one figure per line: name, value, unit, and what it is compared with.

  name     only these benchmarks; all of them without a name
  --list   print the names and what each measures, and run nothing
  --full   growth with 100,000 deliveries, open runs for a minute: half an hour in all
  --json   one JSON object per line: the machine first, then the figures

Exit codes: 0 measured (also when a goal is missed), 1 could not be measured, 2 a name or flag is wrong.`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean' },
      json: { type: 'boolean' },
      full: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return say(HELP);
  if (values.list === true) {
    return say(BENCHMARKS.map(({ name, what }) => `${name.padEnd(NAME_WIDTH)} ${what}`).join('\n'));
  }
  const unknown = positionals.find((name) => !BENCHMARKS.some((known) => known.name === name));
  if (unknown !== undefined)
    return complain(`No benchmark is called "${unknown}": --list prints all names.`, 2);
  const chosen = BENCHMARKS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const machine = readMachine();
  const isJson = values.json === true;
  say(isJson ? JSON.stringify({ machine }) : machineLine(machine));
  const full = values.full === true;
  return measure(chosen, full, (figure) => say(isJson ? JSON.stringify(figure) : figureLine(figure)));
}

const NAME_WIDTH = Math.max(...BENCHMARKS.map(({ name }) => name.length)) + 1;

async function measure(
  chosen: readonly Benchmark[],
  full: boolean,
  print: (figure: Figure) => void,
): Promise<number> {
  let exitCode = 0;
  for (const { name, run } of chosen) {
    const began = performance.now();
    try {
      await run({ full, figure: print, progress: (line) => complain(`  ${name}: ${line}`) });
    } catch (error) {
      exitCode = complain(
        `${name} could not be measured: ${error instanceof Error ? error.message : String(error)}`,
        1,
      );
    }
    complain(`  ${name} took ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  }
  return exitCode;
}

function say(line: string): number {
  process.stdout.write(`${line}\n`);
  return 0;
}

function complain(line: string, exitCode = 0): number {
  process.stderr.write(`${line}\n`);
  return exitCode;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

process.exitCode = await main().catch((error: unknown) =>
  complain(`${error instanceof Error ? error.message : String(error)} (--help lists the flags)`, 2),
);

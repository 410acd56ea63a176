/** `npm run fleet`: many accounts on one machine, upgraded one after another. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startVitest } from 'vitest/node';
import { VARIABLE } from './size.ts';

const MOST = 200;

const USAGE = `npm run fleet -- [--accounts N]

Starts a runtime for each of N accounts (30) on one local Mission Control, upgrades one after another while messages come
in, checks that every message has one answer, and prints what an account costs. Exits with 1 when one is missing.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { accounts: { type: 'string', default: '30' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) return tell(USAGE);
  const accounts = Number(values.accounts);
  if (!Number.isInteger(accounts) || accounts < 1 || accounts > MOST) {
    return tell(`--accounts is a whole number from 1 to ${MOST}, not "${values.accounts}".`, 1);
  }
  process.env[VARIABLE] = String(accounts);
  const vitest = await startVitest(['test/fleet'], {
    root: join(import.meta.dirname, '../..'),
    project: ['all'],
    watch: false,
  });
  const failed = vitest.state.getCountOfFailedTests() > 0 || vitest.state.getUnhandledErrors().length > 0;
  await vitest.close();
  return failed ? 1 : 0;
}

function tell(text: string, exitCode = 0): number {
  process.stdout.write(`${text}\n`);
  return exitCode;
}

process.exitCode = await main();

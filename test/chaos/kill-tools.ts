/**
 * `npm run kill-tools -- --kills 100 --seed 1`: kills the runtime so often right after a tool had its effect. Exit codes:
 * 0 each thing is there once, 1 it is not or a process got stuck, 2 a flag is wrong.
 */
import { parseArgs } from 'node:util';
import { isExactlyOnce, killBehindEffects, toolKillsLines } from './tool-kills.ts';

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const HELP = `npm run kill-tools -- [--kills N] [--seed N]

Agents create tasks, documents and messages with tools. The built runtime is ended by SIGKILL right after each effect, and
the next process goes on. Prints one figure a line; lost and twice must be 0.

  --kills N  how many SIGKILLs (default 100, at most 250: Mission Control lists no more than 100 documents)
  --seed N   draws which kills come before Convex's answer and how late the others are (default 1)`;

const MOST_KILLS = 250;

function wholeNumber(name: string, text: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Error(`${name} ${text} is not a whole number from 1 to ${most}.`);
}

function readFlags(): { kills: number; seed: number } | null {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return null;
  return {
    kills: wholeNumber('--kills', values.kills, MOST_KILLS),
    seed: wholeNumber('--seed', values.seed),
  };
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function main(): Promise<number> {
  let flags: ReturnType<typeof readFlags>;
  try {
    flags = readFlags();
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : String(error)} (--help lists the flags)\n`,
    );
    return 2;
  }
  if (flags === null) {
    say(HELP);
    return 0;
  }
  const report = await killBehindEffects({ ...flags, tell: (line) => process.stderr.write(`${line}\n`) });
  toolKillsLines(report).forEach(say);
  return isExactlyOnce(report) ? 0 : 1;
}

process.exitCode = await main();
